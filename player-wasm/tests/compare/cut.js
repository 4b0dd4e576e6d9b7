// Cuts what ffmpeg writes into what a viewer can be given: whole pictures, and where one can begin.

/** @typedef {{head?: boolean, key?: boolean, bytes: Buffer}} Piece  `head`: for every viewer, before all else. */

const START = Buffer.from([0, 0, 0, 1]);

/** A cutter keeps what is not whole yet. @param {(rest: Buffer) => [Piece[], number]} take  Pieces, and bytes used up. */
function cutter(take) {
  let rest = Buffer.alloc(0);
  return (/** @type {Buffer} */ chunk) => {
    rest = rest.length ? Buffer.concat([rest, chunk]) : chunk;
    const [pieces, used] = take(rest);
    rest = rest.subarray(used);
    return pieces;
  };
}

/** Type and size of each NAL unit behind its length. @param {Buffer} data */
function* lengths(data) {
  for (let at = 0; at + 5 <= data.length; ) {
    const size = data.readUInt32BE(at);
    yield { type: data[at + 4] & 31, from: at + 4, to: at + 4 + size };
    at += 4 + size;
  }
}

/** Fragmented MP4 with one picture in each fragment: the init segment, then `moof` with `mdat`. */
export function fragments() {
  let [head, moof] = [Buffer.alloc(0), Buffer.alloc(0)];
  return cutter((rest) => {
    const pieces = [];
    let at = 0;
    while (at + 8 <= rest.length) {
      const size = rest.readUInt32BE(at);
      if (size < 8 || at + size > rest.length) break;
      const box = rest.subarray(at, at + size);
      const type = box.toString('latin1', 4, 8);
      if (type === 'ftyp') head = box;
      else if (type === 'moov') pieces.push({ head: true, bytes: Buffer.concat([head, box]) });
      else if (type === 'moof') moof = box;
      else if (type === 'mdat') pieces.push({ key: [...lengths(box.subarray(8))].some((nal) => nal.type === 5), bytes: Buffer.concat([moof, box]) });
      at += size;
    }
    return [pieces, at];
  });
}

/** MPEG-TS packets of 188 bytes, as many as have come; a key piece starts at the PAT before a random access point. */
export function packets() {
  return cutter((rest) => {
    const pieces = [];
    const end = rest.length - (rest.length % 188);
    let [from, pat, key] = [0, -1, false];
    for (let at = 0; at < end; at += 188) {
      const pid = ((rest[at + 1] & 0x1f) << 8) | rest[at + 2];
      if (pid === 0) pat = at;
      const random = (rest[at + 3] & 0x20) !== 0 && rest[at + 4] > 0 && (rest[at + 5] & 0x40) !== 0;
      if (!random || pat < 0) continue;
      if (pat > from) pieces.push({ key, bytes: rest.subarray(from, pat) });
      [from, key] = [pat, true];
    }
    if (end > from) pieces.push({ key, bytes: rest.subarray(from, end) });
    return [pieces, end];
  });
}

/** FLV tags, made the H.264 of ISO/IEC 14496-10 Annex B: whole pictures, parameter sets before each key picture. */
export function annexB() {
  let sets = Buffer.alloc(0);
  let begun = false;
  return cutter((rest) => {
    const pieces = [];
    let at = begun ? 0 : 13;
    if (rest.length < at) return [pieces, 0];
    begun = true;
    while (at + 15 <= rest.length) {
      const size = rest.readUIntBE(at + 1, 3);
      if (at + 15 + size > rest.length) break;
      const body = rest.subarray(at + 11, at + 11 + size);
      if (rest[at] === 9 && (body[0] & 15) === 7) {
        if (body[1] === 0) sets = parameterSets(body.subarray(5));
        else if (body[1] === 1) pieces.push(picture(body.subarray(5), sets));
      }
      at += 15 + size;
    }
    return [pieces, at];
  });
}

/** @param {Buffer} avcc  AVCDecoderConfigurationRecord, ISO/IEC 14496-15 §5.3.3.1. */
function parameterSets(avcc) {
  const out = [];
  let at = 5;
  for (const mask of [31, 255]) {
    let count = avcc[at] & mask;
    for (at += 1; count > 0; count -= 1) {
      const size = avcc.readUInt16BE(at);
      out.push(START, avcc.subarray(at + 2, at + 2 + size));
      at += 2 + size;
    }
  }
  return Buffer.concat(out);
}

/** @param {Buffer} data @param {Buffer} sets @returns {Piece} */
function picture(data, sets) {
  const units = [...lengths(data)];
  const key = units.some(({ type }) => type === 5);
  const bare = key && !units.some(({ type }) => type === 7);
  return { key, bytes: Buffer.concat([...(bare ? [sets] : []), ...units.flatMap(({ from, to }) => [START, data.subarray(from, to)])]) };
}

const UUID = Buffer.from('vigie-Sim-Pictur');

/**
 * When the simulated camera took this picture, as its SEI message says, milliseconds; null where it stands in none, or across two
 * transport packets.
 * @param {Buffer} bytes
 */
export function taken(bytes) {
  const at = bytes.indexOf(UUID);
  if (at < 0) return null;
  const plain = [];
  // ISO/IEC 14496-10 §7.4.1: emulation prevention.
  for (let [i, zeros] = [at + 16, 0]; plain.length < 16 && i < bytes.length; i += 1) {
    if (zeros >= 2 && bytes[i] === 3) {
      zeros = 0;
      continue;
    }
    zeros = bytes[i] === 0 ? zeros + 1 : 0;
    plain.push(bytes[i]);
  }
  if (plain.length < 16) return null;
  const utc = Number(Buffer.from(plain).readBigInt64BE(8)) / 1000;
  // Over the edge of a transport packet stands something else.
  return Math.abs(Date.now() - utc) < 60_000 ? utc : null;
}
