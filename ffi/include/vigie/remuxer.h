/* Written by vigie-ffi-pack from the sources; do not edit. The contract is in ffi/README.md. */

#ifndef VIGIE_H_REMUXER
#define VIGIE_H_REMUXER

#include <stddef.h>
#include <stdint.h>
#include "result.h"

/**
 * A coding standard.
 */
enum vigie_codec
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * Told by the bytes.
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
   * `moof` and `mdat`: one closed GOP, or a part of a very long one.
   */
  VIGIE_PIECE_FRAGMENT = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum vigie_piece_kind vigie_piece_kind;
#else
typedef int32_t vigie_piece_kind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * An elementary stream on its way to MP4. One thread at a time.
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
   * One of `vigie_codec`.
   */
  int32_t codec;
  /**
   * Must be 0.
   */
  int32_t reserved;
} vigie_remuxer_config;

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
   * Sum of the samples' durations, in 1/90 000 s.
   */
  uint64_t duration;
  /**
   * 1 where decoding can start at its first sample, else 0.
   */
  int32_t random_access;
  /**
   * Pixels, after cropping.
   */
  uint32_t width;
  /**
   * Pixels, after cropping.
   */
  uint32_t height;
  /**
   * RFC 6381 codec string, for example `avc1.640028`; NUL-terminated.
   */
  const char *codec_string;
} vigie_piece;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Makes a remuxer. `config` may be NULL for the defaults. On success `*remuxer` is a handle that the caller owns and
 * frees with `vigie_remuxer_free`.
 *
 * What the caller promises:
 * `config` is NULL or points to a `vigie_remuxer_config`; `remuxer` is NULL or can be written to.
 */
vigie_result vigie_remuxer_new(const struct vigie_remuxer_config *config,
                               struct vigie_remuxer **remuxer);

/**
 * Takes `len` bytes of the stream, cut anywhere; they are copied, and the caller's again when this returns. What
 * they make ready is kept until pulled: pull after each push. Ends the borrow of the last piece.
 *
 * What the caller promises:
 * `remuxer` is NULL or a live handle that no other thread uses now; `bytes` points to `len` bytes, or `len` is 0.
 */
vigie_result vigie_remuxer_push(struct vigie_remuxer *remuxer,
                                const uint8_t *bytes,
                                size_t len);

/**
 * Says that the stream ends. Pull what is left, until `VIGIE_END`.
 *
 * What the caller promises:
 * `remuxer` is NULL or a live handle that no other thread uses now.
 */
vigie_result vigie_remuxer_finish(struct vigie_remuxer *remuxer);

/**
 * Gives the next piece. `VIGIE_OK`: `*piece` is written; what it points to stays the remuxer's, and good until the next
 * call on this handle. `VIGIE_AGAIN`: push more. `VIGIE_END`: that was all.
 *
 * What the caller promises:
 * `remuxer` is NULL or a live handle that no other thread uses now; `piece` is NULL or points to a `vigie_piece`.
 */
vigie_result vigie_remuxer_pull(struct vigie_remuxer *remuxer,
                                struct vigie_piece *piece);

/**
 * Copies the detail of the handle's last failure into `text`, NUL-terminated, cut to `size` bytes; an empty string where
 * there was none.
 *
 * What the caller promises:
 * `remuxer` is NULL or a live handle that no other thread uses now; `text` points to `size` bytes, or `size` is 0.
 */
vigie_result vigie_remuxer_error(const struct vigie_remuxer *remuxer,
                                 char *text,
                                 size_t size);

/**
 * Frees a remuxer and what it lent. NULL is allowed and does nothing.
 *
 * What the caller promises:
 * `remuxer` is NULL or a live handle that no other thread uses now; it is not used afterwards.
 */
void vigie_remuxer_free(struct vigie_remuxer *remuxer);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* VIGIE_H_REMUXER */
