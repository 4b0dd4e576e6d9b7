/* Written by vigie-ffi-pack from the sources; do not edit. The contract is in ffi/README.md. */

#ifndef VIGIE_H_RECORDER
#define VIGIE_H_RECORDER

#include <stddef.h>
#include <stdint.h>
#include "error.h"
#include "session.h"
#include "store.h"

/**
 * How much a log tells.
 */
enum vigie_log_level
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * What keeps pictures from being recorded.
   */
  VIGIE_LOG_LEVEL_ERROR = 1,
  /**
   * What may.
   */
  VIGIE_LOG_LEVEL_WARN = 2,
  /**
   * What happens.
   */
  VIGIE_LOG_LEVEL_INFO = 3,
  /**
   * Every attempt to connect.
   */
  VIGIE_LOG_LEVEL_DEBUG = 4,
  /**
   * All there is.
   */
  VIGIE_LOG_LEVEL_TRACE = 5,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum vigie_log_level vigie_log_level;
#else
typedef int32_t vigie_log_level;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What an event of a recorder is. A later version may tell of more: let those you do not know pass.
 */
enum vigie_recorder_event_kind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * A connection is being made; `number` counts the attempts since the last picture.
   */
  VIGIE_RECORDER_EVENT_CONNECTING = 1,
  /**
   * Pictures will come.
   */
  VIGIE_RECORDER_EVENT_PLAYING = 2,
  /**
   * There is no connection: `cause`, `code` and `text` say why; the next attempt is in `number` microseconds.
   */
  VIGIE_RECORDER_EVENT_DISCONNECTED = 3,
  /**
   * `number` fragments are safely on the disk so far.
   */
  VIGIE_RECORDER_EVENT_SYNCED = 4,
  /**
   * The store cannot be written: `code` and `text` say why. The recorder tries again by itself.
   */
  VIGIE_RECORDER_EVENT_STORE_FAILED = 5,
  /**
   * The store can be written again.
   */
  VIGIE_RECORDER_EVENT_STORE_BACK = 6,
  /**
   * The disk was too slow: `number` pictures more were dropped.
   */
  VIGIE_RECORDER_EVENT_DROPPED = 7,
  /**
   * The camera breaks a rule that has one sensible reading: `text` names it. Once for each rule and connection.
   */
  VIGIE_RECORDER_EVENT_QUIRK = 8,
  /**
   * How the source does: `health`. Every five seconds while pictures come.
   */
  VIGIE_RECORDER_EVENT_HEALTH = 9,
  /**
   * What was expired was not deleted, or not all of it: `text` says why.
   */
  VIGIE_RECORDER_EVENT_RETENTION = 10,
  /**
   * The recording has ended. The last event. Before `vigie_recorder_stop` was called: by a fault of the library.
   */
  VIGIE_RECORDER_EVENT_STOPPED = 11,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum vigie_recorder_event_kind vigie_recorder_event_kind;
#else
typedef int32_t vigie_recorder_event_kind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * A camera that is being recorded. Calls on it come from any thread, one at a time, also from within its callbacks.
 */
typedef struct vigie_recorder vigie_recorder;

/**
 * Something that happened. All of it is good until the callback returns.
 */
typedef struct vigie_recorder_event {
  /**
   * `sizeof(vigie_recorder_event)` of the library.
   */
  size_t struct_size;
  /**
   * One of `vigie_recorder_event_kind`, which says what the other fields hold; those it does not name are 0.
   */
  int32_t kind;
  /**
   * One of `vigie_cause`.
   */
  int32_t cause;
  /**
   * The stable number of the error behind it.
   */
  uint32_t code;
  /**
   * Must be 0.
   */
  uint32_t reserved;
  /**
   * A number.
   */
  uint64_t number;
  /**
   * Text, NUL-terminated, or NULL.
   */
  const char *text;
  /**
   * How the source does, or NULL.
   */
  const vigie_health *health;
} vigie_recorder_event;

/**
 * What to record, and into what. Set `struct_size` to `sizeof(vigie_recorder_config)`, what is not needed to 0 or NULL. All
 * strings are copied.
 */
typedef struct vigie_recorder_config {
  /**
   * `sizeof(vigie_recorder_config)`.
   */
  size_t struct_size;
  /**
   * `rtsp://user:password@host:port/path`, or with one of the schemes `rtsps`, `http`, `https`, `ws`, `wss`.
   */
  const char *url;
  /**
   * The user, where it is not in `url`; NULL otherwise.
   */
  const char *user;
  /**
   * The password likewise.
   */
  const char *password;
  /**
   * The store's folder; it is made where it is missing. NULL for `vigie_recorder_start_on`.
   */
  const char *store;
  /**
   * Whose camera: 1 to 64 of a-z, 0-9, - and _.
   */
  const char *tenant;
  /**
   * Which: likewise.
   */
  const char *camera;
  /**
   * Microseconds of footage that a power cut may cost; 0: 2 s.
   */
  uint64_t rpo;
  /**
   * One of `vigie_transport`.
   */
  int32_t transport;
  /**
   * The most that is logged: one of `vigie_log_level`; 0: warnings.
   */
  int32_t log_level;
  /**
   * Called for each event, or NULL. On a thread of the recorder's, one call at a time; it must return soon, and not throw.
   */
  void (*on_event)(void *context, const struct vigie_recorder_event *event);
  /**
   * Called for each line of the log, or NULL: likewise. `text` is NUL-terminated, good until it returns, holds no password.
   */
  void (*on_log)(void *context, int32_t level, const char *text);
  /**
   * Handed to both as it is.
   */
  void *context;
} vigie_recorder_config;

/**
 * Counters of a recorder, from its start. Set `struct_size` to `sizeof(vigie_recorder_counters)` before the call.
 */
typedef struct vigie_recorder_counters {
  /**
   * `sizeof(vigie_recorder_counters)`.
   */
  size_t struct_size;
  /**
   * Pictures that came.
   */
  uint64_t pictures;
  /**
   * Fragments written.
   */
  uint64_t fragments;
  /**
   * Fragments known to be on the disk.
   */
  uint64_t synced;
  /**
   * Media files begun.
   */
  uint64_t files;
  /**
   * Bytes of fragments written.
   */
  uint64_t bytes;
  /**
   * Pictures dropped since the disk was too slow.
   */
  uint64_t dropped;
  /**
   * Times that the connection, the store or the pictures failed after they had come.
   */
  uint64_t gaps;
  /**
   * 1 while there is a connection with pictures.
   */
  int32_t connected;
  /**
   * 1 while the store cannot be written.
   */
  int32_t failing;
} vigie_recorder_counters;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Opens the store and starts to record; the camera may be away for now. On success `*recorder` is a handle that the caller
 * owns and frees with `vigie_recorder_free`; it is written before the first callback. On failure, and only then, the detail is
 * copied to `*error`, which may be NULL. `VIGIE_ADDRESS`: the URL is none. `VIGIE_ARGUMENT`: a name is none. `VIGIE_STORAGE`: the
 * store cannot be written, or the camera is being recorded into it already.
 *
 * What the caller promises:
 * `config` is NULL or points to a `vigie_recorder_config`; `recorder` is NULL or can be written to; `error` is NULL or points to
 * a `vigie_error`. The callbacks may be called on another thread with `context`, until the recorder is stopped or freed.
 */
vigie_result vigie_recorder_start(const struct vigie_recorder_config *config,
                                  struct vigie_recorder **recorder,
                                  vigie_error *error);

/**
 * The same into a host's own storage; `store` of the config must be NULL. The struct is copied. Its callbacks are called on the
 * calling thread until `*recorder` is written, and then on one thread of the recorder's, which is not that of `on_event`, until the
 * recorder is stopped or freed; none after a failure was answered. `VIGIE_NULL_POINTER`: a callback is missing.
 *
 * What the caller promises:
 * As `vigie_recorder_start`; `storage` is NULL or points to a `vigie_storage`, whose callbacks may be called with its `context` as
 * said above.
 */
vigie_result vigie_recorder_start_on(const struct vigie_recorder_config *config,
                                     const vigie_storage *storage,
                                     struct vigie_recorder **recorder,
                                     vigie_error *error);

/**
 * Copies counters out.
 *
 * What the caller promises:
 * `recorder` is NULL or a live handle; `stats` is NULL or points to a `vigie_recorder_counters`.
 */
vigie_result vigie_recorder_stats(const struct vigie_recorder *recorder,
                                  struct vigie_recorder_counters *stats);

/**
 * Ends the recording in order, and waits until all that came is on the disk: a second or so, as long as the disk takes.
 * `VIGIE_RECORDER_EVENT_STOPPED` is told last. `VIGIE_STORAGE`: the store has failed and not come back. `VIGIE_ORDER`: called from a
 * callback. Called again, it answers the same.
 *
 * What the caller promises:
 * `recorder` is NULL or a live handle.
 */
vigie_result vigie_recorder_stop(struct vigie_recorder *recorder);

/**
 * Copies the detail of the last failure out: of the connection or of the store.
 *
 * What the caller promises:
 * `recorder` is NULL or a live handle; `error` is NULL or points to a `vigie_error`.
 */
vigie_result vigie_recorder_error(const struct vigie_recorder *recorder, vigie_error *error);

/**
 * Stops a recorder, if it was not, and frees it. NULL is allowed and does nothing. `VIGIE_BUSY`: another thread is using it; it
 * is not freed. `VIGIE_ORDER`: called from a callback; it is not freed.
 *
 * What the caller promises:
 * `recorder` is NULL or a live handle; it is not used afterwards, unless this answers `VIGIE_BUSY` or `VIGIE_ORDER`.
 */
vigie_result vigie_recorder_free(struct vigie_recorder *recorder);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* VIGIE_H_RECORDER */
