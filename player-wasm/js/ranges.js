// Questions about what is buffered.

/**
 * The end of the range that the playhead is in, and of the last one.
 * @param {TimeRanges} ranges @param {number} time
 */
export function edges(ranges, time) {
  let end = time;
  let newest = time;
  for (let i = 0; i < ranges.length; i += 1) {
    if (ranges.start(i) <= time + 0.05 && ranges.end(i) >= time) end = ranges.end(i);
    newest = Math.max(newest, ranges.end(i));
  }
  return { end, newest };
}

/** Is a moment buffered? @param {TimeRanges} ranges @param {number} time */
export function contains(ranges, time) {
  for (let i = 0; i < ranges.length; i += 1) {
    if (ranges.start(i) <= time + 0.01 && time < ranges.end(i)) return true;
  }
  return false;
}
