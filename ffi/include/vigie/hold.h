/* Written by vigie-ffi-pack from the sources; do not edit. The contract is in ffi/README.md. */

#ifndef VIGIE_H_HOLD
#define VIGIE_H_HOLD

#include <stddef.h>
#include <stdint.h>
#include "store.h"

/**
 * What is to be held, for whom and why. Set `struct_size` to `sizeof(vigie_hold_request)`.
 */
typedef struct vigie_hold_request {
  /**
   * `sizeof(vigie_hold_request)`.
   */
  size_t struct_size;
  /**
   * Whose footage.
   */
  const char *tenant;
  /**
   * The cameras' names.
   */
  const char *const *cameras;
  /**
   * Number of cameras, 1 to 1 000.
   */
  size_t camera_count;
  /**
   * From when to when; may reach into the future.
   */
  vigie_span span;
  /**
   * The case, as whoever asks for it names it: one line.
   */
  const char *case_name;
  /**
   * Who orders it: one line.
   */
  const char *who;
  /**
   * Why: one line.
   */
  const char *why;
} vigie_hold_request;

/**
 * A hold in force. The strings are NUL-terminated.
 */
typedef struct vigie_hold {
  /**
   * Its number within the tenant.
   */
  uint64_t number;
  /**
   * From when to when.
   */
  vigie_span span;
  /**
   * The case.
   */
  const char *case_name;
  /**
   * The cameras' names.
   */
  const char *const *cameras;
  /**
   * Number of cameras.
   */
  size_t camera_count;
  /**
   * Who ordered it.
   */
  const char *who;
  /**
   * Why.
   */
  const char *why;
  /**
   * Who asked for its release, where it takes two people; else NULL.
   */
  const char *release_asked_by;
} vigie_hold;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Adds a hold, by a line of the tenant's journal: `*number` is written. From then on nothing of it is deleted.
 * `VIGIE_NOT_FOUND`: a camera has nothing of the span, and it does not reach into the future, or nothing at all.
 * `VIGIE_STORAGE`: nothing is held.
 *
 * What the caller promises:
 * `store` is NULL or a live handle; `request` is NULL or points to a `vigie_hold_request` whose strings are NUL-terminated and
 * whose `cameras` are `camera_count`; `number` is NULL or can be written to.
 */
vigie_result vigie_store_hold_add(vigie_store *store,
                                  const struct vigie_hold_request *request,
                                  uint64_t *number);

/**
 * The tenant's holds in force, by number: `*held` and `*count` are written. They stay the store's, and are good until the next
 * call on it.
 *
 * What the caller promises:
 * `store` is NULL or a live handle; `tenant` is NULL or a NUL-terminated string; `held` and `count` are NULL or can be written
 * to.
 */
vigie_result vigie_store_holds(vigie_store *store,
                               const char *tenant,
                               const struct vigie_hold **held,
                               size_t *count);

/**
 * Releases a hold, or asks for it where it takes two people: `*released` is 1 where it is over. `VIGIE_NOT_FOUND`: there is no
 * such hold.
 *
 * What the caller promises:
 * `store` is NULL or a live handle; `tenant`, `who` and `why` are NULL or NUL-terminated strings; `released` is NULL or can be
 * written to.
 */
vigie_result vigie_store_hold_release(vigie_store *store,
                                      const char *tenant,
                                      uint64_t number,
                                      const char *who,
                                      const char *why,
                                      int32_t *released);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* VIGIE_H_HOLD */
