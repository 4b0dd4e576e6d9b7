// Sixteen tiles of one kind, and what is on the screen. The address says which kind: /?way=mse&cameras=cam1,cam3…

const query = new URLSearchParams(location.search);
const cameras = query.get('cameras').split(',');
const now = () => performance.timeOrigin + performance.now();

/** `open(place, camera, query)` puts a tile into the page and gives its video element. @type {{load(): Promise<void>, open(camera: string, query: URLSearchParams): () => HTMLVideoElement}} */
const way = await import(`./ways/${query.get('way')}.js`);
const tiles = [];
/** `[tile, ms, camera, number]` of pictures read from pixels. */
const read = [];

/** The next picture of a tile; null where none comes. */
function picture(tile, patience) {
  const video = tile.video();
  return new Promise((done) => {
    const late = setTimeout(done, patience, null);
    video.requestVideoFrameCallback((_, { presentedFrames }) => {
      clearTimeout(late);
      const at = now();
      const [camera, number] = window.__read(video);
      const { totalVideoFrames, droppedVideoFrames } = video.getVideoPlaybackQuality();
      done({ at, camera, number, presented: presentedFrames, total: totalVideoFrames, dropped: droppedVideoFrames });
    });
  });
}

/** The library is there; from here on it is measured. @returns {Promise<(number | null)[]>} milliseconds to the first picture of each */
window.begin = async (patience) => {
  await way.load();
  for (const camera of cameras) {
    const tile = { camera, began: now(), first: null, video: null };
    tile.video = way.open(camera, query);
    tile.video().requestVideoFrameCallback(() => (tile.first = now()));
    tiles.push(tile);
  }
  const end = now() + patience;
  while (now() < end && tiles.some(({ first }) => first === null)) await new Promise((done) => setTimeout(done, 50));
  return tiles.map(({ began, first }) => first && first - began);
};

/** Where each tile is: one picture of each, read and counted. */
window.snap = () => Promise.all(tiles.map((tile) => picture(tile, 3000)));

/** Reads one picture after the other, of one tile after the other, ten in a second; the same for every kind. */
window.watch = async (ms) => {
  read.length = 0;
  const end = now() + ms;
  for (let i = 0; now() < end; i += 1) {
    const tile = i % tiles.length;
    const [seen] = await Promise.all([picture(tiles[tile], 1000), new Promise((done) => setTimeout(done, 100))]);
    if (seen) read.push([tile, seen.at, seen.camera, seen.number]);
  }
  return read;
};
window.__ready = true;
