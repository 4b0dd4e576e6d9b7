/* Written by vigie-ffi-pack from the sources; do not edit. The contract is in ffi/README.md. */

#ifndef VIGIE_H_REMUXER
#define VIGIE_H_REMUXER

#include <stddef.h>
#include <stdint.h>
#include "error.h"
#include "piece.h"

/**
 * A coding standard.
 */
enum vigie_codec
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * Told by the bytes, or by the SDP.
   */
  VIGIE_CODEC_DETECT = 0,
  /**
   * ITU-T H.264.
   */
  VIGIE_CODEC_H264 = 1,
  /**
   * ITU-T H.265.
   */
  VIGIE_CODEC_H265 = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum vigie_codec vigie_codec;
#else
typedef int32_t vigie_codec;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What a remuxer is given.
 */
enum vigie_input
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * A byte stream with start codes, cut anywhere: `vigie_remuxer_push`. It has no times; they follow from picture order and
   * frame rate.
   */
  VIGIE_INPUT_ANNEX_B = 0,
  /**
   * RTP packets of one media, as RFC 6184 or RFC 7798 has them: `vigie_remuxer_push_rtp`, `vigie_remuxer_push_rtcp`.
   */
  VIGIE_INPUT_RTP = 1,
  /**
   * Access units with RTP timestamps: `vigie_remuxer_push_access_unit`.
   */
  VIGIE_INPUT_ACCESS_UNITS = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum vigie_input vigie_input;
#else
typedef int32_t vigie_input;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * A stream on its way to MP4. One call at a time.
 */
typedef struct vigie_remuxer vigie_remuxer;

/**
 * How a remuxer is to work. Set `struct_size` to `sizeof(vigie_remuxer_config)`, everything else to 0 for the default.
 */
typedef struct vigie_remuxer_config {
  /**
   * `sizeof(vigie_remuxer_config)`.
   */
  size_t struct_size;
  /**
   * One of `vigie_codec`. Access units need it; RTP needs it or `sdp`.
   */
  int32_t codec;
  /**
   * One of `vigie_input`.
   */
  int32_t input;
  /**
   * `VIGIE_MODE_RECORDING` or `VIGIE_MODE_LIVE`. Annex B knows recording only.
   */
  int32_t mode;
  /**
   * RTP only. 0: the packets come in order, as over TCP, and a gap is a loss at once. 1: they come as datagrams do, and are
   * put in order; mind `vigie_remuxer_next_timeout`.
   */
  int32_t datagrams;
  /**
   * RTP only: the session description, which says how payloads are packed and what parameter sets there are; may be NULL.
   * Copied.
   */
  const uint8_t *sdp;
  /**
   * Bytes of it.
   */
  size_t sdp_len;
  /**
   * The media of the description: 1 for its first, 0 for the first that is H.264 or H.265.
   */
  uint32_t media;
  /**
   * Must be 0.
   */
  uint32_t reserved;
  /**
   * The camera's name, for `vigie_error`; may be NULL. Copied.
   */
  const char *camera;
} vigie_remuxer_config;

/**
 * An access unit: one coded picture with what belongs to it. Set `struct_size` to `sizeof(vigie_access_unit)`.
 */
typedef struct vigie_access_unit {
  /**
   * `sizeof(vigie_access_unit)`.
   */
  size_t struct_size;
  /**
   * Its NAL units.
   */
  const uint8_t *bytes;
  /**
   * Number of bytes.
   */
  size_t len;
  /**
   * 0: each NAL unit behind a start code. 1: each behind its length in 4 bytes, big-endian.
   */
  int32_t length_prefixed;
  /**
   * Its RTP timestamp, or any count at 90 kHz; wraps.
   */
  uint32_t timestamp;
  /**
   * When it was received, in microseconds of the host's monotonic clock.
   */
  uint64_t received;
  /**
   * RTP packets lost since the one before it, 0 where nobody knows of any.
   */
  uint32_t lost;
  /**
   * Must be 0.
   */
  uint32_t reserved;
} vigie_access_unit;

/**
 * Counters of a remuxer, from its beginning. Set `struct_size` to `sizeof(vigie_remuxer_counters)` before the call.
 */
typedef struct vigie_remuxer_counters {
  /**
   * `sizeof(vigie_remuxer_counters)`.
   */
  size_t struct_size;
  /**
   * Access units that went in.
   */
  uint64_t access_units;
  /**
   * Samples that came out.
   */
  uint64_t samples;
  /**
   * RTP packets taken.
   */
  uint64_t packets;
  /**
   * RTP packets found missing.
   */
  uint64_t lost;
  /**
   * RTP packets that came twice.
   */
  uint64_t duplicates;
  /**
   * RTP packets that came behind one that is numbered higher.
   */
  uint64_t reordered;
} vigie_remuxer_counters;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Makes a remuxer. `config` may be NULL for the defaults. On success `*remuxer` is a handle that the caller owns and
 * frees with `vigie_remuxer_free`. `VIGIE_NOT_VIDEO`: the SDP has no H.264 or H.265, or is none.
 *
 * What the caller promises:
 * `config` is NULL or points to a `vigie_remuxer_config`; `remuxer` is NULL or can be written to.
 */
vigie_result vigie_remuxer_new(const struct vigie_remuxer_config *config,
                               struct vigie_remuxer **remuxer);

/**
 * Takes `len` bytes of an Annex B stream, cut anywhere; they are copied, and the caller's again when this returns. What
 * they make ready is kept until pulled: pull after each push. Ends the borrow of the last piece.
 *
 * What the caller promises:
 * `remuxer` is NULL or a live handle; `bytes` points to `len` bytes, or `len` is 0.
 */
vigie_result vigie_remuxer_push(struct vigie_remuxer *remuxer,
                                const uint8_t *bytes,
                                size_t len);

/**
 * Takes one RTP packet of the media, whole, as it was received at `received` (microseconds of the host's monotonic clock).
 * Copied. `VIGIE_STREAM`: it is none; go on with the next. Ends the borrow of the last piece.
 *
 * What the caller promises:
 * As `vigie_remuxer_push`.
 */
vigie_result vigie_remuxer_push_rtp(struct vigie_remuxer *remuxer,
                                    const uint8_t *bytes,
                                    size_t len,
                                    uint64_t received);

/**
 * Takes one compound RTCP packet of the media, received at `received`: its sender reports say which UTC an RTP timestamp is.
 * `VIGIE_STREAM`: it is none; go on.
 *
 * What the caller promises:
 * As `vigie_remuxer_push`.
 */
vigie_result vigie_remuxer_push_rtcp(struct vigie_remuxer *remuxer,
                                     const uint8_t *bytes,
                                     size_t len,
                                     uint64_t received);

/**
 * Takes an access unit. Copied. `VIGIE_NOT_VIDEO`: there are no NAL units in it. Ends the borrow of the last piece.
 *
 * What the caller promises:
 * `remuxer` is NULL or a live handle; `unit` is NULL or points to a `vigie_access_unit` whose `bytes` are `len` bytes.
 */
vigie_result vigie_remuxer_push_access_unit(struct vigie_remuxer *remuxer,
                                            const struct vigie_access_unit *unit);

/**
 * Says what the host's monotonic clock and its UTC read at one moment, both in microseconds. Say it before the first packet
 * and now and then: where the camera says no time of its own, pictures are dated by it.
 *
 * What the caller promises:
 * `remuxer` is NULL or a live handle.
 */
vigie_result vigie_remuxer_clock(struct vigie_remuxer *remuxer,
                                 uint64_t now,
                                 int64_t utc);

/**
 * Datagrams only: when to call `vigie_remuxer_timeout`, on the host's monotonic clock. `VIGIE_AGAIN`: nothing waits, `*at` is
 * not written.
 *
 * What the caller promises:
 * `remuxer` is NULL or a live handle; `at` is NULL or can be written to.
 */
vigie_result vigie_remuxer_next_timeout(struct vigie_remuxer *remuxer,
                                        uint64_t *at);

/**
 * Datagrams only: a packet that has waited for one before it for long enough goes on. Then pull.
 *
 * What the caller promises:
 * `remuxer` is NULL or a live handle.
 */
vigie_result vigie_remuxer_timeout(struct vigie_remuxer *remuxer, uint64_t now);

/**
 * Says that the stream ends. Pull what is left, until `VIGIE_END`.
 *
 * What the caller promises:
 * `remuxer` is NULL or a live handle.
 */
vigie_result vigie_remuxer_finish(struct vigie_remuxer *remuxer);

/**
 * Gives the next piece. `VIGIE_OK`: `*piece` is written; what it points to stays the remuxer's, and good until the next
 * push, finish, timeout, pull or free of this handle. `VIGIE_AGAIN`: push more. `VIGIE_END`: that was all.
 *
 * What the caller promises:
 * `remuxer` is NULL or a live handle; `piece` is NULL or points to a `vigie_piece`.
 */
vigie_result vigie_remuxer_pull(struct vigie_remuxer *remuxer,
                                vigie_piece *piece);

/**
 * Copies counters out.
 *
 * What the caller promises:
 * `remuxer` is NULL or a live handle; `stats` is NULL or points to a `vigie_remuxer_counters`.
 */
vigie_result vigie_remuxer_stats(const struct vigie_remuxer *remuxer,
                                 struct vigie_remuxer_counters *stats);

/**
 * Copies the detail of the handle's last failure out. `offset` counts bytes of Annex B, RTP packets or access units taken
 * before; of a packet that cannot be read, bytes of the packet.
 *
 * What the caller promises:
 * `remuxer` is NULL or a live handle; `error` is NULL or points to a `vigie_error`.
 */
vigie_result vigie_remuxer_error(const struct vigie_remuxer *remuxer,
                                 vigie_error *error);

/**
 * Frees a remuxer and what it lent. NULL is allowed and does nothing. `VIGIE_BUSY`: another thread is using it; it is not
 * freed.
 *
 * What the caller promises:
 * `remuxer` is NULL or a live handle; it is not used afterwards, unless this answers `VIGIE_BUSY`.
 */
vigie_result vigie_remuxer_free(struct vigie_remuxer *remuxer);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* VIGIE_H_REMUXER */
