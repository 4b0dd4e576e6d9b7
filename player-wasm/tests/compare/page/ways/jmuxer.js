// jmuxer, H.264 over WebSocket: a whole picture in each message, and told so.

import { script, socket, video } from './share.js';

export const load = () => script('/lib.js');

export function open(camera) {
  const element = video();
  const player = new window.JMuxer({ node: element, mode: 'video', flushingTime: 0, maxDelay: 500, clearBuffer: true, fps: 25, onError: () => {} });
  socket(camera).onmessage = ({ data }) => player.feed({ video: new Uint8Array(data), isLastVideoFrameComplete: true });
  return () => element;
}
