/* Written by vigie-ffi-pack from the sources; do not edit. The contract is in ffi/README.md. */

#ifndef VIGIE_H_RESULT
#define VIGIE_H_RESULT

#include <stddef.h>
#include <stdint.h>

/**
 * The version of the ABI, raised when a function or a struct changes so that old programs would break.
 */
#define VIGIE_ABI_VERSION 1

/**
 * What a call answers. Numbers are never reused; a later version may answer with numbers that are not listed here.
 */
enum vigie_result
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * Done; outputs are written.
   */
  VIGIE_OK = 0,
  /**
   * Nothing to give now: push more, or finish. No fault.
   */
  VIGIE_AGAIN = 1,
  /**
   * Everything was given. No fault.
   */
  VIGIE_END = 2,
  /**
   * A pointer that must not be NULL is NULL.
   */
  VIGIE_NULL_POINTER = -1,
  /**
   * A `struct_size` that no version of this library knows; set it to `sizeof` of the struct.
   */
  VIGIE_STRUCT_SIZE = -2,
  /**
   * An argument out of its range, a length above 256 MiB, or a string that is not UTF-8.
   */
  VIGIE_ARGUMENT = -3,
  /**
   * A call in the wrong order: push after finish; stop from within a callback.
   */
  VIGIE_ORDER = -4,
  /**
   * The bytes are neither H.264 nor H.265, or hold no picture.
   */
  VIGIE_NOT_VIDEO = -5,
  /**
   * The stream cannot be carried: the detail says why.
   */
  VIGIE_STREAM = -6,
  /**
   * Another call on this handle is under way, in another thread: nothing was done.
   */
  VIGIE_BUSY = -7,
  /**
   * The address is none that can be used.
   */
  VIGIE_ADDRESS = -8,
  /**
   * The storage cannot do what was asked: the detail says why.
   */
  VIGIE_STORAGE = -9,
  /**
   * There is no such thing: no such camera, hold or footage.
   */
  VIGIE_NOT_FOUND = -10,
  /**
   * What was recorded is damaged: the detail says where.
   */
  VIGIE_DAMAGED = -11,
  /**
   * The connection or the session with the camera failed: the detail says why.
   */
  VIGIE_SESSION = -12,
  /**
   * A thread could not be started.
   */
  VIGIE_THREAD = -13,
  /**
   * A panic inside the library: its fault. The handle is poisoned; free it.
   */
  VIGIE_PANIC = -100,
  /**
   * The handle is poisoned by an earlier panic; free it.
   */
  VIGIE_POISONED = -101,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum vigie_result vigie_result;
#else
typedef int32_t vigie_result;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * A line of English for a result, for a log. Never NULL; static, not to be freed. Any number may be asked for.
 */
const char *vigie_result_text(int32_t result);

/**
 * The ABI version of the library that is loaded; compare it with `VIGIE_ABI_VERSION` of the header.
 */
uint32_t vigie_abi_version(void);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* VIGIE_H_RESULT */
