/* Written by vigie-ffi-pack from the sources; do not edit. The contract is in ffi/README.md. */

#ifndef VIGIE_H_STORE
#define VIGIE_H_STORE

#include <stddef.h>
#include <stdint.h>
#include "error.h"
#include "storage.h"

/**
 * Why there is no footage.
 */
enum vigie_cause
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * None of those below.
   */
  VIGIE_CAUSE_NONE = 0,
  /**
   * The camera sent nothing, or what cannot be recorded.
   */
  VIGIE_CAUSE_CAMERA = 1,
  /**
   * It could not be reached.
   */
  VIGIE_CAUSE_NETWORK = 2,
  /**
   * It refused name and password.
   */
  VIGIE_CAUSE_AUTHENTICATION = 3,
  /**
   * The store could not be written: full, failing, not allowed.
   */
  VIGIE_CAUSE_STORAGE = 4,
  /**
   * A clock was set forward: nothing is missing but time.
   */
  VIGIE_CAUSE_CLOCK = 5,
  /**
   * A person stopped it.
   */
  VIGIE_CAUSE_OPERATOR = 6,
  /**
   * It was deleted when its time had come.
   */
  VIGIE_CAUSE_RETENTION = 7,
  /**
   * The recorder itself was down: a crash, a power cut.
   */
  VIGIE_CAUSE_RECORDER = 8,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum vigie_cause vigie_cause;
#else
typedef int32_t vigie_cause;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What cameras are recorded into: a folder, or a host's own storage. One call at a time; as many handles on one of them as you
 * like.
 */
typedef struct vigie_store vigie_store;

/**
 * A camera of a store.
 */
typedef struct vigie_camera {
  /**
   * Whose it is; NUL-terminated.
   */
  const char *tenant;
  /**
   * Which of the tenant's; NUL-terminated.
   */
  const char *camera;
} vigie_camera;

/**
 * A span of time, in microseconds of UTC since 1970.
 */
typedef struct vigie_span {
  /**
   * The first moment.
   */
  int64_t from;
  /**
   * The moment after the last; `INT64_MAX` where it goes on.
   */
  int64_t to;
} vigie_span;

/**
 * A span of which there is no footage, and why.
 */
typedef struct vigie_gap {
  /**
   * When.
   */
  struct vigie_span span;
  /**
   * One of `vigie_cause`.
   */
  int32_t cause;
  /**
   * The stable number of the error behind it, 0 where there is none.
   */
  uint32_t code;
} vigie_gap;

/**
 * What a camera has of a span of time. Set `struct_size` to `sizeof(vigie_listing)` before the call. The arrays stay the
 * store's, and good until the next call on it.
 */
typedef struct vigie_listing {
  /**
   * `sizeof(vigie_listing)`.
   */
  size_t struct_size;
  /**
   * The spans recorded, by time.
   */
  const struct vigie_span *ranges;
  /**
   * Number of them.
   */
  size_t range_count;
  /**
   * Those not recorded, between the first and the last that are, and after the last where it is known why.
   */
  const struct vigie_gap *gaps;
  /**
   * Number of them.
   */
  size_t gap_count;
  /**
   * Media files that hold some of it.
   */
  uint64_t files;
  /**
   * Their bytes.
   */
  uint64_t bytes;
  /**
   * Their pictures.
   */
  uint64_t pictures;
  /**
   * RTP packets lost in them.
   */
  uint64_t lost;
} vigie_listing;

/**
 * Something that is not as the format says, and where.
 */
typedef struct vigie_finding {
  /**
   * The file, from the store's root; NUL-terminated.
   */
  const char *path;
  /**
   * What is wrong, as a word (`hole`, `tail`, `index`, ...: those of `vigie fsck --json`); NUL-terminated.
   */
  const char *what;
  /**
   * The same as a line of English; NUL-terminated.
   */
  const char *text;
  /**
   * Byte of the file that it starts at.
   */
  uint64_t offset;
  /**
   * Bytes, or fragments where it is about the index.
   */
  uint64_t count;
  /**
   * 1: damage. 0: only worth a look.
   */
  int32_t damage;
  /**
   * Must be 0.
   */
  int32_t reserved;
} vigie_finding;

/**
 * What a check found. Set `struct_size` to `sizeof(vigie_check)` before the call. The array stays the store's, and good until
 * the next call on it.
 */
typedef struct vigie_check {
  /**
   * `sizeof(vigie_check)`.
   */
  size_t struct_size;
  /**
   * Media files read.
   */
  uint64_t files;
  /**
   * Whole fragments in them.
   */
  uint64_t fragments;
  /**
   * Bytes read of media.
   */
  uint64_t bytes;
  /**
   * What is not as it should be: of each day in order, the first 10 000 of all.
   */
  const struct vigie_finding *findings;
  /**
   * Number of them.
   */
  size_t finding_count;
  /**
   * Those that are damage, listed or not.
   */
  uint64_t damage;
  /**
   * 1: the camera is being recorded, and what is unfinished there was not looked at.
   */
  int32_t live;
  /**
   * 1: there are more findings than are listed.
   */
  int32_t more;
} vigie_check;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Opens the store in a folder, to be read, exported from, held and checked. On success `*store` is a handle that the caller
 * owns and frees with `vigie_store_free`. `VIGIE_NOT_FOUND`: there is no such folder. `VIGIE_STORAGE`: it is a volume whose
 * disk is not there.
 *
 * What the caller promises:
 * `path` is NULL or a NUL-terminated string; `store` is NULL or can be written to.
 */
vigie_result vigie_store_open(const char *path,
                              struct vigie_store **store);

/**
 * Opens the store on a host's own storage: likewise. The struct is copied, and no callback called yet. `VIGIE_NULL_POINTER`: a
 * callback is missing.
 *
 * What the caller promises:
 * `storage` is NULL or points to a `vigie_storage`; its callbacks may be called with its `context` until the store is freed.
 * `store` is NULL or can be written to.
 */
vigie_result vigie_store_open_on(const vigie_storage *storage,
                                 struct vigie_store **store);

/**
 * The cameras that something was recorded of: `*cameras` and `*count` are written. They stay the store's, and are good until
 * the next call on it.
 *
 * What the caller promises:
 * `store` is NULL or a live handle; `cameras` and `count` are NULL or can be written to.
 */
vigie_result vigie_store_cameras(struct vigie_store *store,
                                 const struct vigie_camera **cameras,
                                 size_t *count);

/**
 * What a camera has from `from` to `to` (microseconds of UTC since 1970): the spans recorded, the gaps and their causes. A
 * camera that is not there has an empty listing.
 *
 * What the caller promises:
 * `store` is NULL or a live handle; `tenant` and `camera` are NULL or NUL-terminated strings; `listing` is NULL or points to a
 * `vigie_listing`.
 */
vigie_result vigie_store_list(struct vigie_store *store,
                              const char *tenant,
                              const char *camera,
                              int64_t from,
                              int64_t to,
                              struct vigie_listing *listing);

/**
 * Reads all of a camera's recording, and says what is not whole. Changes nothing. `VIGIE_OK` also where there is damage.
 * `VIGIE_NOT_FOUND`: there is no such camera.
 *
 * What the caller promises:
 * `store` is NULL or a live handle; `tenant` and `camera` are NULL or NUL-terminated strings; `check` is NULL or points to a
 * `vigie_check`.
 */
vigie_result vigie_store_check(struct vigie_store *store,
                               const char *tenant,
                               const char *camera,
                               struct vigie_check *check);

/**
 * Copies the detail of the store's last failure out. `offset` counts bytes of the file concerned.
 *
 * What the caller promises:
 * `store` is NULL or a live handle; `error` is NULL or points to a `vigie_error`.
 */
vigie_result vigie_store_error(const struct vigie_store *store, vigie_error *error);

/**
 * Frees a store and what it lent. NULL is allowed and does nothing. `VIGIE_BUSY`: another thread is using it; it is not freed.
 *
 * What the caller promises:
 * `store` is NULL or a live handle; it is not used afterwards, unless this answers `VIGIE_BUSY`.
 */
vigie_result vigie_store_free(struct vigie_store *store);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* VIGIE_H_STORE */
