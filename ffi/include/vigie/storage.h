/* Written by vigie-ffi-pack from the sources; do not edit. The contract is in ffi/README.md. */

#ifndef VIGIE_H_STORAGE
#define VIGIE_H_STORAGE

#include <stddef.h>
#include <stdint.h>
#include "piece.h"

/**
 * What a callback of a `vigie_storage` answers. Any other number is a failure, too: it comes back in texts, as a number of the
 * operating system (`errno`).
 */
enum vigie_storage_answer
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * All of it was done; outputs are written.
   */
  VIGIE_STORAGE_ANSWER_DONE = 0,
  /**
   * No such file or folder.
   */
  VIGIE_STORAGE_ANSWER_NOT_FOUND = -1,
  /**
   * The name is taken.
   */
  VIGIE_STORAGE_ANSWER_EXISTS = -2,
  /**
   * No room: disk or quota.
   */
  VIGIE_STORAGE_ANSWER_FULL = -3,
  /**
   * Not allowed to.
   */
  VIGIE_STORAGE_ANSWER_DENIED = -4,
  /**
   * Nothing can be written there at present.
   */
  VIGIE_STORAGE_ANSWER_READ_ONLY = -5,
  /**
   * A file stands where a folder is needed.
   */
  VIGIE_STORAGE_ANSWER_NOT_A_FOLDER = -6,
  /**
   * Another holds the folder.
   */
  VIGIE_STORAGE_ANSWER_LOCKED = -7,
  /**
   * It failed.
   */
  VIGIE_STORAGE_ANSWER_FAILED = -8,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum vigie_storage_answer vigie_storage_answer;
#else
typedef int32_t vigie_storage_answer;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What a file is opened for.
 */
enum vigie_storage_access
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * Reading.
   */
  VIGIE_STORAGE_ACCESS_READ = 0,
  /**
   * Reading, appending, writing in place and cutting off.
   */
  VIGIE_STORAGE_ACCESS_WRITE = 1,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum vigie_storage_access vigie_storage_access;
#else
typedef int32_t vigie_storage_access;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What a folder holds, in the making. The library's own: a `list` callback is given it, for `vigie_storage_listed`.
 */
typedef struct vigie_storage_listing vigie_storage_listing;

/**
 * A host's own storage: a tree of files, as callbacks. Set `struct_size` to `sizeof(vigie_storage)`. All of them must be there but
 * for `room`. The struct is copied. `README.md`, "A host's own storage", says from which threads they are called, and what they
 * promise.
 *
 * Paths and folders are relative to the storage's root, parts joined by `/`, at most 255 bytes of ASCII in all; the root itself
 * is `""`. They are NUL-terminated and, as all that a callback is given, good until it returns. A callback answers one of
 * `vigie_storage_answer`; what it writes to is set by the caller to what no answer can be, and is looked at only after
 * `VIGIE_STORAGE_ANSWER_DONE`.
 */
typedef struct vigie_storage {
  /**
   * `sizeof(vigie_storage)`.
   */
  size_t struct_size;
  /**
   * Handed to each callback as it is.
   */
  void *context;
  /**
   * Creates a file and opens it for writing, with the folders above it where they are missing.
   * `VIGIE_STORAGE_ANSWER_EXISTS`: the name is taken. `*file` is the host's own word for it, not NULL, until `close`.
   */
  int32_t (*create)(void *context, const char *path, void **file);
  /**
   * Opens a file; `access` is one of `vigie_storage_access`. One file may be open more than once, at the same time.
   */
  int32_t (*open)(void *context, const char *path, int32_t access, void **file);
  /**
   * Closes a file. What was not synced may be lost.
   */
  void (*close)(void *context, void *file);
  /**
   * Appends all slices at the end of the file, one behind the other. When it fails, a part of them may be there.
   */
  int32_t (*append)(void *context, void *file, const vigie_slice *slices, size_t count);
  /**
   * Overwrites `len` bytes that are there.
   */
  int32_t (*write_at)(void *context, void *file, uint64_t offset, const uint8_t *bytes, size_t len);
  /**
   * Reads at most `len` bytes, and writes how many to `*read`. It may be fewer; 0 only at the end of the file and behind it.
   */
  int32_t (*read_at)(void *context,
                     void *file,
                     uint64_t offset,
                     uint8_t *into,
                     size_t len,
                     size_t *read);
  /**
   * Writes the number of the file's bytes to `*len`.
   */
  int32_t (*length)(void *context, void *file, uint64_t *len);
  /**
   * Cuts the file off after `len` bytes.
   */
  int32_t (*truncate)(void *context, void *file, uint64_t len);
  /**
   * Returns when all that was written to the file is where a power cut does not reach it. When it fails, what was written since
   * the last success may be lost.
   */
  int32_t (*sync)(void *context, void *file);
  /**
   * The same of the names in a folder: of what was created, renamed or removed there.
   */
  int32_t (*sync_folder)(void *context, const char *folder);
  /**
   * Gives a file another name, in one step, in place of a file that has it: after a power cut it is the old one or the new one.
   */
  int32_t (*rename)(void *context, const char *from, const char *to);
  /**
   * Removes a file. One that is open stays readable until it is closed.
   */
  int32_t (*remove)(void *context, const char *path);
  /**
   * Says what is in a folder, in any order: by a call of `vigie_storage_listed` for each file and folder, before it returns, on
   * the same thread. `VIGIE_STORAGE_ANSWER_NOT_FOUND`: there is no such folder.
   */
  int32_t (*list)(void *context, const char *folder, struct vigie_storage_listing *listing);
  /**
   * Holds a folder, which need not be there, against every other handle on the storage, in this process and in others:
   * `VIGIE_STORAGE_ANSWER_LOCKED` while another holds it. It must not outlive the process.
   */
  int32_t (*lock)(void *context, const char *folder);
  /**
   * Lets go of it.
   */
  void (*unlock)(void *context, const char *folder);
  /**
   * Removes a folder in which nothing is left. One in which there is something stays, and the answer is
   * `VIGIE_STORAGE_ANSWER_DONE`.
   */
  int32_t (*remove_folder)(void *context, const char *folder);
  /**
   * Is there room for footage? Asked before footage is written, not before what closes files, indexes and journals is:
   * `VIGIE_STORAGE_ANSWER_FULL` while there is little left, so that what is open can be closed in it. NULL: there is.
   */
  int32_t (*room)(void *context);
} vigie_storage;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Adds a file or a folder to what a `list` callback tells. `name` is that in the folder, without the folder's; it is copied.
 * `is_folder`: 1 for a folder, 0 for a file, which has `len` bytes. `VIGIE_ARGUMENT`: a name that is empty, longer than 255 bytes,
 * not UTF-8, or a path, or a length above 16 TiB; it is left out, which does no harm. The 262 145th entry, however, fails the
 * listing. `VIGIE_ORDER`: no `list` callback is under way with this listing.
 *
 * What the caller promises:
 * `listing` is NULL or what the callback was given, and the handle that it was called for was not freed. `name` is NULL or a
 * NUL-terminated string.
 */
vigie_result vigie_storage_listed(struct vigie_storage_listing *listing,
                                  const char *name,
                                  int32_t is_folder,
                                  uint64_t len);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* VIGIE_H_STORAGE */
