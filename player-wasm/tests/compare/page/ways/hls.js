// hls.js: segments of one group of pictures (way=hls), or low-latency parts of 200 ms where a camera has an origin of its own.

import { script, video } from './share.js';

export const load = () => script('/lib.js');

export function open(camera, query) {
  const element = video();
  const origins = JSON.parse(query.get('origins') ?? '{}');
  const low = camera in origins;
  const player = new window.Hls({
    ...{ lowLatencyMode: true, enableWorker: true, backBufferLength: 6, maxLiveSyncPlaybackRate: 1.5 },
    // Low-latency playlists say themselves how far from their end it is safe (PART-HOLD-BACK).
    ...(low ? {} : { liveSyncDurationCount: 1, liveMaxLatencyDurationCount: 3 }),
  });
  player.loadSource(`${origins[camera] ?? location.origin}/live/${camera}/live.m3u8`);
  player.attachMedia(element);
  return () => element;
}
