// The least that plays: ready fragments are appended as they come, what is old is removed, and the playhead is set once.

import { socket, video } from './share.js';

const TYPE = 'video/mp4; codecs="avc1.64001e"';
/** Kept behind the playhead, seconds. */
const BACK = 6;

export const load = async () => {};

export function open(camera) {
  const element = video();
  const source = new MediaSource();
  const waiting = [];
  let buffer = null;
  let placed = false;
  const work = () => {
    if (!buffer || buffer.updating) return;
    const { buffered } = buffer;
    if (!placed && buffered.length) {
      element.currentTime = Math.max(buffered.start(0), buffered.end(0) - 0.1);
      placed = true;
    }
    if (buffered.length && element.currentTime - buffered.start(0) > 2 * BACK) buffer.remove(0, element.currentTime - BACK);
    else if (waiting.length) buffer.appendBuffer(waiting.shift());
  };
  source.addEventListener('sourceopen', () => {
    buffer = source.addSourceBuffer(TYPE);
    buffer.addEventListener('updateend', work);
    socket(camera).onmessage = ({ data }) => {
      waiting.push(data);
      work();
    };
  });
  element.src = URL.createObjectURL(source);
  return () => element;
}
