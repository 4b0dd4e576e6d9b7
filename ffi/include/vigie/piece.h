/* Written by vigie-ffi-pack from the sources; do not edit. The contract is in ffi/README.md. */

#ifndef VIGIE_H_PIECE
#define VIGIE_H_PIECE

#include <stddef.h>
#include <stdint.h>
#include "result.h"

/**
 * What a piece is.
 */
enum vigie_piece_kind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * `ftyp` and `moov`: goes before the fragments that follow it. A second one comes where decoding needs it.
   */
  VIGIE_PIECE_INIT = 1,
  /**
   * `moof` and `mdat`: one closed GOP, or a part of a very long one; in live mode one closed reorder group.
   */
  VIGIE_PIECE_FRAGMENT = 2,
  /**
   * From a reader of a store: there is nothing from `utc` to `utc_end`. No bytes.
   */
  VIGIE_PIECE_GAP = 3,
  /**
   * From a reader of a store: what there is from `utc` to `utc_end` is damaged; what follows comes. No bytes.
   */
  VIGIE_PIECE_DAMAGED = 4,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum vigie_piece_kind vigie_piece_kind;
#else
typedef int32_t vigie_piece_kind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What is special about a fragment: numbers to be added up in `flags` of a `vigie_piece`.
 */
enum vigie_piece_flag
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * Decoding can start at its first sample.
   */
  VIGIE_PIECE_FLAG_RANDOM_ACCESS = 1,
  /**
   * It continues the GOP of the fragment before it.
   */
  VIGIE_PIECE_FLAG_CONTINUES_GOP = 2,
  /**
   * RTP packets were lost in it or before it.
   */
  VIGIE_PIECE_FLAG_LOSS = 4,
  /**
   * Its times do not continue those before: another `epoch`.
   */
  VIGIE_PIECE_FLAG_DISCONTINUITY = 8,
  /**
   * A picture in it lacks a part.
   */
  VIGIE_PIECE_FLAG_INCOMPLETE = 16,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum vigie_piece_flag vigie_piece_flag;
#else
typedef uint32_t vigie_piece_flag;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Where a UTC came from, best first.
 */
enum vigie_utc_source
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * Not known: an elementary stream.
   */
  VIGIE_UTC_SOURCE_NONE = 0,
  /**
   * ONVIF RTP header extension 0xABAC: the camera's own stamp on this very picture.
   */
  VIGIE_UTC_SOURCE_ONVIF_EXTENSION = 1,
  /**
   * RTCP sender report, RFC 3550 section 6.4.1.
   */
  VIGIE_UTC_SOURCE_SENDER_REPORT = 2,
  /**
   * `Range: clock=` of the answer to PLAY.
   */
  VIGIE_UTC_SOURCE_RANGE_CLOCK = 3,
  /**
   * When it arrived here.
   */
  VIGIE_UTC_SOURCE_ARRIVAL = 4,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum vigie_utc_source vigie_utc_source;
#else
typedef int32_t vigie_utc_source;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What fragments are for.
 */
enum vigie_mode
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * To be kept: one GOP each, `avc3` or `hev1`, every NAL unit untouched.
   */
  VIGIE_MODE_RECORDING = 0,
  /**
   * To be shown now: one closed reorder group each, `avc1` or `hvc1` as `MediaSource` takes it, times from 10 s on.
   */
  VIGIE_MODE_LIVE = 1,
  /**
   * A session only: access units as they come, no fragments.
   */
  VIGIE_MODE_ACCESS_UNITS = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum vigie_mode vigie_mode;
#else
typedef int32_t vigie_mode;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * A run of bytes, laid out as POSIX `struct iovec` is. Borrowed: see the function that gave it.
 */
typedef struct vigie_slice {
  /**
   * First byte.
   */
  const uint8_t *bytes;
  /**
   * Number of bytes.
   */
  size_t len;
} vigie_slice;

/**
 * A piece of output. Set `struct_size` to `sizeof(vigie_piece)` before the call.
 */
typedef struct vigie_piece {
  /**
   * `sizeof(vigie_piece)`.
   */
  size_t struct_size;
  /**
   * One of `vigie_piece_kind`.
   */
  int32_t kind;
  /**
   * Number of samples (pictures); 0 in an init segment.
   */
  uint32_t samples;
  /**
   * The bytes, in order: write them one after the other (`writev`).
   */
  const struct vigie_slice *slices;
  /**
   * Number of slices.
   */
  size_t slice_count;
  /**
   * Decoding time of the first sample, in 1/90 000 s.
   */
  int64_t dts;
  /**
   * Earliest presentation time, in 1/90 000 s.
   */
  int64_t pts;
  /**
   * Sum of the samples' durations, in 1/90 000 s.
   */
  uint64_t duration;
  /**
   * UTC of the earliest presentation, in microseconds since 1970-01-01T00:00:00Z; 0 where `utc_source` is 0.
   */
  int64_t utc;
  /**
   * UTC of its end, likewise.
   */
  int64_t utc_end;
  /**
   * Microseconds that the UTC may be off, either way, against the clock of its source.
   */
  uint32_t utc_error;
  /**
   * One of `vigie_utc_source`.
   */
  int32_t utc_source;
  /**
   * A sum of `vigie_piece_flag`.
   */
  uint32_t flags;
  /**
   * Counts the breaks of the timeline: times of two epochs do not compare.
   */
  uint32_t epoch;
  /**
   * Pixels, after cropping.
   */
  uint32_t width;
  /**
   * Pixels, after cropping.
   */
  uint32_t height;
  /**
   * RFC 6381 codec string, for example `avc1.640028`; NUL-terminated, lent as the slices are.
   */
  const char *codec_string;
} vigie_piece;

#endif  /* VIGIE_H_PIECE */
