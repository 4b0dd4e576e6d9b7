/* Written by vigie-ffi-pack from the sources; do not edit. The contract is in ffi/README.md. */

#ifndef VIGIE_H_EXPORT
#define VIGIE_H_EXPORT

#include <stddef.h>
#include <stdint.h>
#include "store.h"

/**
 * What is to be exported, and what was. Set `struct_size` to `sizeof(vigie_export)`; the fields from `files` on are written
 * on success.
 */
typedef struct vigie_export {
  /**
   * `sizeof(vigie_export)`.
   */
  size_t struct_size;
  /**
   * Whose footage.
   */
  const char *tenant;
  /**
   * Of which camera.
   */
  const char *camera;
  /**
   * The first moment, in microseconds of UTC since 1970; not more than 400 days before the first footage.
   */
  int64_t from;
  /**
   * The moment after the last.
   */
  int64_t to;
  /**
   * Where to: `clip.mp4`, and where there are gaps, or the picture changes, `clip-2.mp4` and so on beside it. A file appears
   * whole or not at all, in place of one of its name.
   */
  const char *path;
  /**
   * The case, for the tenant's journal: one line, or NULL.
   */
  const char *case_name;
  /**
   * Who exports: one line, or NULL.
   */
  const char *who;
  /**
   * Why: one line, or NULL.
   */
  const char *why;
  /**
   * Files written.
   */
  uint64_t files;
  /**
   * Their bytes.
   */
  uint64_t bytes;
  /**
   * Pictures shown.
   */
  uint64_t pictures;
  /**
   * UTC of the first of them.
   */
  int64_t first;
  /**
   * UTC until which the last of them is shown.
   */
  int64_t last;
  /**
   * Fragments that are damaged, and left out.
   */
  uint64_t damaged;
} vigie_export;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Writes a span as ordinary MP4 files of the local file system, the same that `vigie export` writes, and a line into the
 * tenant's journal first. `VIGIE_NOT_FOUND`: nothing was recorded then.
 *
 * What the caller promises:
 * `store` is NULL or a live handle; `export_request` is NULL or points to a `vigie_export` whose strings are NULL or
 * NUL-terminated.
 */
vigie_result vigie_store_export(vigie_store *store,
                                struct vigie_export *export_request);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* VIGIE_H_EXPORT */
