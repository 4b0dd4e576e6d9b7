// mpegts.js, MPEG-TS over WebSocket: its live settings, media sources in Workers where the browser has them.

import { address, script, video } from './share.js';

export const load = () => script('/lib.js');

export function open(camera) {
  const { mpegts } = window;
  const element = video();
  const worker = Boolean(window.MediaSource?.canConstructInDedicatedWorker);
  const player = mpegts.createPlayer(
    { type: 'mpegts', isLive: true, hasAudio: false, url: address(camera) },
    {
      ...{ enableWorker: true, enableWorkerForMSE: worker, enableStashBuffer: false, lazyLoad: false, autoCleanupSourceBuffer: true },
      ...{ autoCleanupMaxBackwardDuration: 12, autoCleanupMinBackwardDuration: 6 },
      ...{ liveBufferLatencyChasing: true, liveBufferLatencyMaxLatency: 1.5, liveBufferLatencyMinRemain: 0.5 },
    },
  );
  player.attachMediaElement(element);
  player.load();
  Promise.resolve(player.play()).catch(() => {});
  return () => element;
}
