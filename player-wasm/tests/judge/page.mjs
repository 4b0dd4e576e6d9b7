// What runs in the judge's page.

/**
 * Plays the file to its end. Runs in the page, so it must not use anything from outside itself.
 * @param {string} url @param {'mse' | 'src' | 'hls'} way
 */
export async function judge(url, way) {
  const RATE = 4;
  const PIECE = 65_521;
  const get = async (/** @type {string} */ from) => new Uint8Array(await (await fetch(from)).arrayBuffer());
  // Of a playlist, the init segment that it names tells the codec.
  const map = way === 'hls' ? /EXT-X-MAP:URI="([^"]+)"/.exec(await (await fetch(url)).text())?.[1] : undefined;
  const bytes = await get(map === undefined ? url : new URL(map, url).href);

  /** RFC 6381, appendix E of ISO/IEC 14496-15, from the configuration record that stands in the file. */
  const codec = (() => {
    const text = String.fromCharCode(...bytes.subarray(0, 4096));
    const [entry] = /avc1|avc3|hvc1|hev1/.exec(text.slice(text.indexOf('stsd'))) ?? [''];
    const [avc, hevc] = [text.indexOf('avcC'), text.indexOf('hvcC')];
    const hex = (n) => n.toString(16).toUpperCase();
    if (avc > 0) return `${entry}.${[5, 6, 7].map((i) => hex(bytes[avc + i]).padStart(2, '0')).join('')}`;
    if (hevc < 0) return entry;
    const record = new DataView(bytes.buffer, hevc + 4);
    const first = record.getUint8(1);
    let reversed = 0;
    for (let i = 0, flags = record.getUint32(2); i < 32; i += 1, flags >>>= 1) reversed = (reversed << 1) | (flags & 1);
    const constraints = [...bytes.subarray(hevc + 10, hevc + 16)];
    while (constraints.at(-1) === 0) constraints.pop();
    const profile = ['', 'A', 'B', 'C'][first >> 6] + (first & 31);
    return [entry, profile, hex(reversed >>> 0), `${first & 32 ? 'H' : 'L'}${record.getUint8(12)}`, ...constraints.map(hex)].join('.');
  })();
  const type = `video/mp4; codecs="${codec}"`;
  const can = way !== 'src' ? MediaSource.isTypeSupported(type) : document.createElement('video').canPlayType(type) !== '';
  if (!can) return { codec, unsupported: true };

  const video = document.querySelector('video');
  const heard = (target, name) =>
    new Promise((done, fail) => {
      target.addEventListener(name, done, { once: true });
      video.addEventListener('error', () => fail(new Error(`${video.error?.code}: ${video.error?.message}`)), { once: true });
    });

  /** The barcode of the picture on the screen, see examples/cli/clips/make.py; -1: none. */
  const canvas = new OffscreenCanvas(416, 32).getContext('2d', { willReadFrequently: true });
  const number = () => {
    canvas.drawImage(video, 0, 0, 416, 32, 0, 0, 416, 32);
    const { data } = canvas.getImageData(0, 16, 416, 1);
    const bits = Array.from({ length: 24 }, (_, i) => (data[4 * (16 + 16 * i)] > 128 ? 1 : 0));
    const nibbles = [0, 4, 8, 12, 16, 20].map((at) => bits.slice(at, at + 4).reduce((n, bit) => 2 * n + bit, 0));
    const good = nibbles[0] === 0b1010 && nibbles.slice(0, 5).reduce((a, b) => a ^ b) === nibbles[5];
    return good ? nibbles[2] * 256 + nibbles[3] * 16 + nibbles[4] : -1;
  };
  const shown = () =>
    new Promise((done) => {
      // A picture that stands still is not always told of.
      setTimeout(done, 500);
      video.requestVideoFrameCallback?.(done);
    });

  try {
    const loaded = heard(video, 'loadeddata');
    let start = 0;
    if (way === 'src') {
      video.src = url;
    } else if (way === 'hls') {
      const hls = new window.Hls({ startPosition: 0 });
      hls.on(window.Hls.Events.ERROR, (_, { fatal, details }) => fatal && video.dispatchEvent(new CustomEvent('fatal', { detail: details })));
      hls.loadSource(url);
      hls.attachMedia(video);
    } else {
      const source = new MediaSource();
      video.src = URL.createObjectURL(source);
      await heard(source, 'sourceopen');
      const buffer = source.addSourceBuffer(type);
      for (let at = 0; at < bytes.length; at += PIECE) {
        const done = heard(buffer, 'updateend');
        buffer.appendBuffer(bytes.subarray(at, at + PIECE));
        await done;
      }
      source.endOfStream();
      if (buffer.buffered.length !== 1) return { codec, error: `${buffer.buffered.length} ranges buffered` };
      // Stored times are absolute.
      start = buffer.buffered.start(0);
      video.currentTime = start;
    }
    const fatal = new Promise((_, fail) => video.addEventListener('fatal', (event) => fail(new Error(`hls.js: ${event.detail}`))));
    await Promise.race([loaded, fatal]);
    await shown();
    const first = number();
    const ended = heard(video, 'ended');
    video.playbackRate = RATE;
    await video.play();
    await Promise.race([ended, fatal]);
    await shown();
    const { totalVideoFrames: pictures, droppedVideoFrames: dropped } = video.getVideoPlaybackQuality();
    // At this rate the last picture may not have been painted.
    const sought = heard(video, 'seeked');
    video.currentTime = video.duration - 0.001;
    await sought;
    await shown();
    const [width, height, duration] = [video.videoWidth, video.videoHeight, video.duration - start];
    return { codec, width, height, pictures, dropped, duration, first, last: number() };
  } catch (error) {
    return { codec, error: String(error?.message ?? error) };
  }
}
