/* Written by vigie-ffi-pack from the sources; do not edit. The contract is in ffi/README.md. */

#ifndef VIGIE_H_READER
#define VIGIE_H_READER

#include <stddef.h>
#include <stdint.h>
#include "error.h"
#include "piece.h"
#include "storage.h"

/**
 * A camera's recording, being read. One call at a time.
 */
typedef struct vigie_reader vigie_reader;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Opens a camera's recording in the store at `path`. On success `*reader` is a handle that the caller owns and frees with
 * `vigie_reader_free`. A camera that is not there yet is one without footage. `VIGIE_NOT_FOUND`: there is no such folder;
 * `VIGIE_ARGUMENT`: a tenant's or camera's name is none.
 *
 * What the caller promises:
 * `path`, `tenant` and `camera` are NULL or NUL-terminated strings; `reader` is NULL or can be written to.
 */
vigie_result vigie_reader_open(const char *path,
                               const char *tenant,
                               const char *camera,
                               struct vigie_reader **reader);

/**
 * Opens a camera's recording on a host's own storage: likewise. The struct is copied, and no callback called yet.
 * `VIGIE_NULL_POINTER`: a callback is missing.
 *
 * What the caller promises:
 * `storage` is NULL or points to a `vigie_storage`; its callbacks may be called with its `context` until the reader is freed.
 * `tenant` and `camera` are NULL or NUL-terminated strings; `reader` is NULL or can be written to.
 */
vigie_result vigie_reader_open_on(const vigie_storage *storage,
                                  const char *tenant,
                                  const char *camera,
                                  struct vigie_reader **reader);

/**
 * Goes to a moment (microseconds of UTC since 1970): the first fragment given holds it, or is the one where decoding has to
 * start to show it; where nothing does, the first after it, behind a gap. Where there is none for 400 days, `vigie_reader_next`
 * answers `VIGIE_END`: `vigie_store_list` says where there is some. The init segment is given again.
 *
 * What the caller promises:
 * `reader` is NULL or a live handle.
 */
vigie_result vigie_reader_seek(struct vigie_reader *reader,
                               int64_t utc);

/**
 * Gives the next piece: an init segment, a fragment, a gap or damage. What it points to stays the reader's, and good until the
 * next call on this handle. `VIGIE_END`: there is nothing more yet; what is recorded from now on comes with later calls.
 * `VIGIE_ORDER`: seek first.
 *
 * What the caller promises:
 * `reader` is NULL or a live handle; `piece` is NULL or points to a `vigie_piece`.
 */
vigie_result vigie_reader_next(struct vigie_reader *reader,
                               vigie_piece *piece);

/**
 * The same up to the next fragment that starts at a random access point: its first picture is the next key picture.
 *
 * What the caller promises:
 * As `vigie_reader_next`.
 */
vigie_result vigie_reader_next_key(struct vigie_reader *reader,
                                   vigie_piece *piece);

/**
 * Copies the detail of the reader's last failure, or of the last damage, out. `offset` counts bytes of the file concerned.
 *
 * What the caller promises:
 * `reader` is NULL or a live handle; `error` is NULL or points to a `vigie_error`.
 */
vigie_result vigie_reader_error(const struct vigie_reader *reader,
                                vigie_error *error);

/**
 * Frees a reader and what it lent. NULL is allowed and does nothing. `VIGIE_BUSY`: another thread is using it; it is not freed.
 *
 * What the caller promises:
 * `reader` is NULL or a live handle; it is not used afterwards, unless this answers `VIGIE_BUSY`.
 */
vigie_result vigie_reader_free(struct vigie_reader *reader);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* VIGIE_H_READER */
