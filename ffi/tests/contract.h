/* contract.h: handles, every function of each, and the storage of a host. See contract.c. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <vigie/vigie.h>

/* Planted: ffi/src/testing.rs. */
#define PLANTED(noun)                                  \
    vigie_result vigie_testing_panic_##noun(void *);   \
    vigie_result vigie_testing_hold_##noun(void *, atomic_int *);
PLANTED(remuxer)
PLANTED(session)
PLANTED(store)
PLANTED(reader)
PLANTED(recorder)

static atomic_int failures, checks;

static void is(int got, int want, const char *call, int line) {
    checks++;
    if (got != want) {
        failures++;
        fprintf(stderr, "contract.c:%d: %s: %d (%s) where %d was due\n", line, call, got, vigie_result_text(got), want);
    }
}
#define IS(call, want) is((call), (want), #call, __LINE__)
#define HOLDS(what) is(!(what), 0, #what, __LINE__)

static const char *folder;
static unsigned char seed[32] = {7};
static unsigned char bytes[64] = {0, 0, 0, 1, 0x65, 0x88};
static const size_t HUGE_LENGTHS[] = {((size_t)1 << 28) + 1, (size_t)1 << 40, SIZE_MAX / 2, SIZE_MAX / 2 + 1, SIZE_MAX};
static const size_t WRONG_SIZES[] = {0, 1, 7, 4096, SIZE_MAX};
#define EACH(i, array) for (size_t i = 0; i < sizeof(array) / sizeof *(array); i++)

static vigie_remuxer *new_remuxer(int input) {
    vigie_remuxer_config config = {.struct_size = sizeof config, .codec = VIGIE_CODEC_H264, .input = input};
    vigie_remuxer *remuxer = NULL;
    IS(vigie_remuxer_new(&config, &remuxer), VIGIE_OK);
    return remuxer;
}

static vigie_session *new_session(void) {
    vigie_session_config config = {.struct_size = sizeof config, .url = "rtsp://u:p@127.0.0.1/a", .seed = seed};
    vigie_session *session = NULL;
    IS(vigie_session_new(&config, 0, &session), VIGIE_OK);
    return session;
}

static vigie_store *new_store(void) {
    vigie_store *store = NULL;
    IS(vigie_store_open(folder, &store), VIGIE_OK);
    return store;
}

static vigie_reader *new_reader(void) {
    vigie_reader *reader = NULL;
    IS(vigie_reader_open(folder, "town", "gate", &reader), VIGIE_OK);
    return reader;
}

static atomic_int told;
static vigie_recorder *_Atomic recording;
static atomic_int from_callback = 1000;
static vigie_recorder *_Atomic spoilt; /* poisoned, and not to be freed from a callback all the same */
static atomic_int refused;

/* Calls from within a callback do not wait for themselves. */
static void on_event(void *context, const vigie_recorder_event *event) {
    vigie_recorder *recorder = atomic_load(&recording);
    HOLDS(context == folder && event->struct_size == sizeof *event);
    told++;
    if (recorder && event->kind == VIGIE_RECORDER_EVENT_DISCONNECTED && from_callback == 1000) {
        vigie_recorder_counters kept = {.struct_size = sizeof kept};
        IS(vigie_recorder_stats(recorder, &kept), VIGIE_OK);
        IS(vigie_recorder_free(recorder), VIGIE_ORDER);
        from_callback = vigie_recorder_stop(recorder);
    }
    if (event->kind == VIGIE_RECORDER_EVENT_DISCONNECTED && (recorder = atomic_exchange(&spoilt, NULL))) {
        IS(vigie_recorder_free(recorder), VIGIE_ORDER);
        refused = 1;
    }
}

static atomic_int logged;

/* Every attempt to connect, and no password. */
static void on_log(void *context, int32_t level, const char *text) {
    HOLDS(context == folder && level >= VIGIE_LOG_LEVEL_ERROR && level <= VIGIE_LOG_LEVEL_DEBUG);
    HOLDS(text[0] && !strstr(text, "u:p"));
    logged++;
}

static vigie_recorder_config recorder_config(const char *camera) {
    return (vigie_recorder_config){.struct_size = sizeof(vigie_recorder_config), .url = "rtsp://u:p@127.0.0.1:1/a",
        .store = folder, .tenant = "town", .camera = camera, .log_level = VIGIE_LOG_LEVEL_DEBUG, .on_event = on_event, .on_log = on_log, .context = (void *)folder};
}

static vigie_recorder *new_recorder(const char *camera) {
    vigie_recorder_config config = recorder_config(camera);
    vigie_recorder *recorder = NULL;
    IS(vigie_recorder_start(&config, &recorder, NULL), VIGIE_OK);
    return recorder;
}

/* Every function of a handle, which all answer `want` because of the state that the handle is in. What they would write stays
 * as it was. */
static void all_of_remuxer(vigie_remuxer *remuxer, int want) {
    vigie_piece piece = {.struct_size = sizeof piece, .kind = 77};
    vigie_access_unit unit = {.struct_size = sizeof unit, .bytes = bytes, .len = 6};
    vigie_remuxer_counters counters = {.struct_size = sizeof counters, .packets = 77};
    vigie_error error = {.struct_size = sizeof error, .result = 77};
    uint64_t at = 77;
    IS(vigie_remuxer_push(remuxer, bytes, 6), want);
    IS(vigie_remuxer_push_rtp(remuxer, bytes, 6, 0), want);
    IS(vigie_remuxer_push_rtcp(remuxer, bytes, 6, 0), want);
    IS(vigie_remuxer_push_access_unit(remuxer, &unit), want);
    IS(vigie_remuxer_clock(remuxer, 0, 0), want);
    IS(vigie_remuxer_next_timeout(remuxer, &at), want);
    IS(vigie_remuxer_timeout(remuxer, 0), want);
    IS(vigie_remuxer_finish(remuxer), want);
    IS(vigie_remuxer_pull(remuxer, &piece), want);
    IS(vigie_remuxer_stats(remuxer, &counters), want);
    IS(vigie_remuxer_error(remuxer, &error), want);
    HOLDS(piece.kind == 77 && counters.packets == 77 && error.result == 77 && at == 77);
}

static void all_of_session(vigie_session *session, int want) {
    vigie_event event = {.struct_size = sizeof event, .kind = 77};
    vigie_health health = {.struct_size = sizeof health, .packets = 77};
    vigie_error error = {.struct_size = sizeof error, .result = 77};
    uint64_t at = 77;
    uint8_t *room = bytes;
    size_t len = 77;
    IS(vigie_session_clock(session, 0, 0), want);
    IS(vigie_session_buffer(session, &room, &len), want);
    IS(vigie_session_received(session, 0, 0), want);
    IS(vigie_session_push(session, 0, bytes, 6), want);
    IS(vigie_session_bound(session, 0, 0, 5000, 5001), want);
    IS(vigie_session_datagram(session, 0, 0, 0, bytes, 6), want);
    IS(vigie_session_closed(session, 0), want);
    IS(vigie_session_next_timeout(session, &at), want);
    IS(vigie_session_timeout(session, 0), want);
    IS(vigie_session_stop(session, 0), want);
    IS(vigie_session_pull(session, &event), want);
    IS(vigie_session_health(session, 0, &health), want);
    IS(vigie_session_error(session, &error), want);
    HOLDS(event.kind == 77 && health.packets == 77 && error.result == 77 && at == 77 && room == bytes && len == 77);
}

static void all_of_store(vigie_store *store, int want) {
    const char *gate = "gate";
    const vigie_camera *cameras = (const void *)bytes;
    const vigie_hold *holds = (const void *)bytes;
    vigie_listing listing = {.struct_size = sizeof listing, .files = 77};
    vigie_export request = {.struct_size = sizeof request, .tenant = "town", .camera = gate, .to = 1, .path = "x.mp4", .files = 77};
    vigie_hold_request hold = {.struct_size = sizeof hold, .tenant = "town", .cameras = &gate, .camera_count = 1,
        .span = {0, 1}, .case_name = "c", .who = "w", .why = "y"};
    vigie_check check = {.struct_size = sizeof check, .files = 77};
    vigie_error error = {.struct_size = sizeof error, .result = 77};
    uint64_t number = 77;
    int32_t released = 77;
    size_t count = 77;
    IS(vigie_store_cameras(store, &cameras, &count), want);
    IS(vigie_store_list(store, "town", gate, 0, 1, &listing), want);
    IS(vigie_store_export(store, &request), want);
    IS(vigie_store_hold_add(store, &hold, &number), want);
    IS(vigie_store_holds(store, "town", &holds, &count), want);
    IS(vigie_store_hold_release(store, "town", 1, "w", "y", &released), want);
    IS(vigie_store_check(store, "town", gate, &check), want);
    IS(vigie_store_error(store, &error), want);
    HOLDS(listing.files == 77 && request.files == 77 && check.files == 77 && error.result == 77 && number == 77);
    HOLDS(released == 77 && count == 77 && (const void *)cameras == bytes && (const void *)holds == bytes);
}

static void all_of_reader(vigie_reader *reader, int want) {
    vigie_piece piece = {.struct_size = sizeof piece, .kind = 77};
    vigie_error error = {.struct_size = sizeof error, .result = 77};
    IS(vigie_reader_seek(reader, 0), want);
    IS(vigie_reader_next(reader, &piece), want);
    IS(vigie_reader_next_key(reader, &piece), want);
    IS(vigie_reader_error(reader, &error), want);
    HOLDS(piece.kind == 77 && error.result == 77);
}

static void all_of_recorder(vigie_recorder *recorder, int want) {
    vigie_recorder_counters counters = {.struct_size = sizeof counters, .bytes = 77};
    vigie_error error = {.struct_size = sizeof error, .result = 77};
    IS(vigie_recorder_stats(recorder, &counters), want);
    IS(vigie_recorder_error(recorder, &error), want);
    IS(vigie_recorder_stop(recorder), want);
    HOLDS(counters.bytes == 77 && error.result == 77);
}

/* A host's own storage: what is missing in it, or of the wrong size. None of its callbacks is called by opening: they lead nowhere. */
static void storages(void) {
    vigie_storage storage, part;
    vigie_store *store = NULL;
    vigie_reader *reader = NULL;
    vigie_recorder *recorder = NULL;
    vigie_error error = {.struct_size = sizeof error};
    vigie_recorder_config config = recorder_config("storages");
    memset(&storage, 1, sizeof storage);
    storage.struct_size = sizeof storage;
    const int null = VIGIE_NULL_POINTER, bad = VIGIE_ARGUMENT;
    IS(vigie_recorder_start_on(&config, &storage, &recorder, &error), bad);
    HOLDS(error.result == bad);
    config.store = NULL;
    IS(vigie_store_open_on(NULL, &store), null);
    IS(vigie_store_open_on(&storage, NULL), null);
    IS(vigie_store_open_on((void *)((char *)&storage + 1), &store), bad);
    IS(vigie_reader_open_on(NULL, "town", "gate", &reader), null);
    IS(vigie_reader_open_on(&storage, NULL, "gate", &reader), null);
    IS(vigie_reader_open_on(&storage, "town", NULL, &reader), null);
    IS(vigie_reader_open_on(&storage, "town", "../gate", &reader), bad);
    IS(vigie_reader_open_on(&storage, "town", "gate", NULL), null);
    IS(vigie_recorder_start_on(&config, NULL, &recorder, &error), null);
    IS(vigie_recorder_start_on(NULL, &storage, &recorder, NULL), null);
    IS(vigie_recorder_start_on(&config, &storage, NULL, NULL), null);
    for (size_t at = offsetof(vigie_storage, create); at < offsetof(vigie_storage, room); at += sizeof storage.room) {
        part = storage;
        memset((char *)&part + at, 0, sizeof storage.room);
        IS(vigie_store_open_on(&part, &store), null);
        IS(vigie_reader_open_on(&part, "town", "gate", &reader), null);
        IS(vigie_recorder_start_on(&config, &part, &recorder, &error), null);
    }
    EACH(i, WRONG_SIZES) {
        part = storage, part.struct_size = WRONG_SIZES[i];
        IS(vigie_store_open_on(&part, &store), VIGIE_STRUCT_SIZE);
        IS(vigie_reader_open_on(&part, "town", "gate", &reader), VIGIE_STRUCT_SIZE);
        IS(vigie_recorder_start_on(&config, &part, &recorder, &error), VIGIE_STRUCT_SIZE);
    }
    HOLDS(!store && !reader && !recorder);
    storage.room = NULL;
    IS(vigie_store_open_on(&storage, &store), VIGIE_OK);
    IS(vigie_reader_open_on(&storage, "town", "gate", &reader), VIGIE_OK);
    IS(vigie_storage_listed(NULL, "a", 0, 1), null);
    IS(vigie_store_free(store), VIGIE_OK);
    IS(vigie_reader_free(reader), VIGIE_OK);
}
