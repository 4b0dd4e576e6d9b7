// What a MediaSource is asked for.

/** @import {Format} from './protocol.js' */

/** @param {Format} format */
export const mime = (format) => `video/mp4; codecs="${format.string}"`;
