/* Written by vigie-ffi-pack from the sources; do not edit. The contract is in ffi/README.md. */

#ifndef VIGIE_H_ERROR
#define VIGIE_H_ERROR

#include <stddef.h>
#include <stdint.h>
#include "result.h"

/**
 * Room for a camera's name in a `vigie_error`: tenant, `/`, camera and NUL, cut where the name is longer.
 */
#define VIGIE_ERROR_CAMERA 132

/**
 * Room for the text in a `vigie_error`, NUL included.
 */
#define VIGIE_ERROR_TEXT 320

/**
 * Whose fault a failure is.
 */
enum vigie_blame
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * Nobody's, or not known.
   */
  VIGIE_BLAME_NONE = 0,
  /**
   * The camera's, or whatever is at the other end.
   */
  VIGIE_BLAME_PEER = 1,
  /**
   * The caller's: a wrong argument, address or password.
   */
  VIGIE_BLAME_CALLER = 2,
  /**
   * The storage's: full, absent, refusing.
   */
  VIGIE_BLAME_STORAGE = 3,
  /**
   * Vigie's own.
   */
  VIGIE_BLAME_BUG = 4,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum vigie_blame vigie_blame;
#else
typedef int32_t vigie_blame;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * The detail of the last failure of a handle: what it takes to find the place in a capture. Set `struct_size` to
 * `sizeof(vigie_error)` before the call. All of it is copied: it stays good when the handle is freed.
 */
typedef struct vigie_error {
  /**
   * `sizeof(vigie_error)`.
   */
  size_t struct_size;
  /**
   * The `vigie_result` that the call answered; `VIGIE_OK` where none has failed so far.
   */
  int32_t result;
  /**
   * The stable number of `core/docs/errors.md`; 0 where there is none.
   */
  uint32_t code;
  /**
   * One of `vigie_blame`.
   */
  int32_t blame;
  /**
   * RTP sequence number of the packet it happened at, 0 to 65 535; -1 where no packet is concerned.
   */
  int32_t sequence;
  /**
   * Bytes from the start of what was read (the connection, the stream, a packet, a file); -1 where no place is known.
   */
  int64_t offset;
  /**
   * RTP timestamp of that packet, -1 where none is concerned.
   */
  int64_t timestamp;
  /**
   * SSRC of that packet, -1 where none is concerned.
   */
  int64_t ssrc;
  /**
   * The last CSeq sent to the camera, -1 where there is none.
   */
  int64_t cseq;
  /**
   * The camera's name, as it was given; NUL-terminated, may be empty.
   */
  char camera[VIGIE_ERROR_CAMERA];
  /**
   * One line of English, for a log: what happened, and where. NUL-terminated; holds no password.
   */
  char text[VIGIE_ERROR_TEXT];
} vigie_error;

#endif  /* VIGIE_H_ERROR */
