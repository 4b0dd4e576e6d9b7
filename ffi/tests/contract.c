/* contract.c: every public function called with NULL, wrong sizes, huge lengths, a poisoned handle, and while another thread
 * uses the handle: a result code each time, and nothing written. Needs a library with the feature `testing`, which plants
 * panics and delays.
 *
 *     contract FOLDER
 */
#include "contract.h"

/* A handle that is NULL; and each other pointer, with a handle that is good. */
static void nulls(void) {
    all_of_remuxer(NULL, VIGIE_NULL_POINTER);
    all_of_session(NULL, VIGIE_NULL_POINTER);
    all_of_store(NULL, VIGIE_NULL_POINTER);
    all_of_reader(NULL, VIGIE_NULL_POINTER);
    all_of_recorder(NULL, VIGIE_NULL_POINTER);
    IS(vigie_remuxer_free(NULL), VIGIE_OK);
    IS(vigie_session_free(NULL), VIGIE_OK);
    IS(vigie_store_free(NULL), VIGIE_OK);
    IS(vigie_reader_free(NULL), VIGIE_OK);
    IS(vigie_recorder_free(NULL), VIGIE_OK);

    const int null = VIGIE_NULL_POINTER;
    vigie_remuxer *remuxer = new_remuxer(VIGIE_INPUT_ANNEX_B);
    IS(vigie_remuxer_new(NULL, NULL), null);
    IS(vigie_remuxer_push(remuxer, NULL, 1), null);
    IS(vigie_remuxer_push(remuxer, NULL, 0), VIGIE_OK);
    IS(vigie_remuxer_push_rtp(remuxer, NULL, 1, 0), null);
    IS(vigie_remuxer_push_rtcp(remuxer, NULL, 1, 0), null);
    IS(vigie_remuxer_push_access_unit(remuxer, NULL), null);
    vigie_access_unit unit = {.struct_size = sizeof unit, .len = 1};
    IS(vigie_remuxer_push_access_unit(remuxer, &unit), null);
    IS(vigie_remuxer_next_timeout(remuxer, NULL), null);
    IS(vigie_remuxer_pull(remuxer, NULL), null);
    IS(vigie_remuxer_stats(remuxer, NULL), null);
    IS(vigie_remuxer_error(remuxer, NULL), null);
    vigie_remuxer_config sdp = {.struct_size = sizeof sdp, .input = VIGIE_INPUT_RTP, .sdp_len = 9};
    vigie_remuxer *none = (void *)bytes;
    IS(vigie_remuxer_new(&sdp, &none), null);
    HOLDS((void *)none == bytes);
    IS(vigie_remuxer_free(remuxer), VIGIE_OK);

    vigie_session *session = new_session();
    vigie_session_config config = {.struct_size = sizeof config};
    uint8_t *room;
    size_t len;
    IS(vigie_session_new(NULL, 0, &session), null);
    IS(vigie_session_new(&config, 0, NULL), null);
    IS(vigie_session_new(&config, 0, &session), null);
    config.url = "rtsp://127.0.0.1/";
    IS(vigie_session_new(&config, 0, &session), null);
    IS(vigie_session_buffer(session, NULL, &len), null);
    IS(vigie_session_buffer(session, &room, NULL), null);
    IS(vigie_session_push(session, 0, NULL, 1), null);
    IS(vigie_session_datagram(session, 0, 0, 0, NULL, 1), null);
    IS(vigie_session_next_timeout(session, NULL), null);
    IS(vigie_session_pull(session, NULL), null);
    IS(vigie_session_health(session, 0, NULL), null);
    IS(vigie_session_error(session, NULL), null);
    IS(vigie_session_free(session), VIGIE_OK);

    vigie_store *store = new_store();
    const char *gate = "gate", *nothing = NULL;
    const vigie_camera *cameras;
    const vigie_hold *holds;
    vigie_listing listing = {.struct_size = sizeof listing};
    vigie_check check = {.struct_size = sizeof check};
    vigie_export request = {.struct_size = sizeof request, .to = 1};
    vigie_hold_request hold = {.struct_size = sizeof hold, .span = {0, 1}, .camera_count = 1};
    uint64_t number;
    int32_t released;
    IS(vigie_store_open(NULL, &store), null);
    IS(vigie_store_open(folder, NULL), null);
    IS(vigie_store_cameras(store, NULL, &len), null);
    IS(vigie_store_cameras(store, &cameras, NULL), null);
    IS(vigie_store_list(store, NULL, gate, 0, 1, &listing), null);
    IS(vigie_store_list(store, "town", NULL, 0, 1, &listing), null);
    IS(vigie_store_list(store, "town", gate, 0, 1, NULL), null);
    IS(vigie_store_export(store, NULL), null);
    IS(vigie_store_export(store, &request), null);
    request.tenant = "town";
    IS(vigie_store_export(store, &request), null);
    request.camera = gate;
    IS(vigie_store_export(store, &request), null);
    IS(vigie_store_hold_add(store, NULL, &number), null);
    IS(vigie_store_hold_add(store, &hold, NULL), null);
    IS(vigie_store_hold_add(store, &hold, &number), null);
    hold.tenant = "town", hold.cameras = &nothing;
    IS(vigie_store_hold_add(store, &hold, &number), null);
    hold.cameras = &gate;
    IS(vigie_store_hold_add(store, &hold, &number), null);
    IS(vigie_store_holds(store, NULL, &holds, &len), null);
    IS(vigie_store_holds(store, "town", NULL, &len), null);
    IS(vigie_store_holds(store, "town", &holds, NULL), null);
    IS(vigie_store_hold_release(store, NULL, 1, "w", "y", &released), null);
    IS(vigie_store_hold_release(store, "town", 1, NULL, "y", &released), null);
    IS(vigie_store_hold_release(store, "town", 1, "w", NULL, &released), null);
    IS(vigie_store_hold_release(store, "town", 1, "w", "y", NULL), null);
    IS(vigie_store_check(store, NULL, gate, &check), null);
    IS(vigie_store_check(store, "town", NULL, &check), null);
    IS(vigie_store_check(store, "town", gate, NULL), null);
    IS(vigie_store_error(store, NULL), null);
    IS(vigie_store_free(store), VIGIE_OK);

    vigie_reader *reader = new_reader();
    IS(vigie_reader_open(NULL, "town", gate, &reader), null);
    IS(vigie_reader_open(folder, NULL, gate, &reader), null);
    IS(vigie_reader_open(folder, "town", NULL, &reader), null);
    IS(vigie_reader_open(folder, "town", gate, NULL), null);
    IS(vigie_reader_next(reader, NULL), null);
    IS(vigie_reader_next_key(reader, NULL), null);
    IS(vigie_reader_error(reader, NULL), null);
    IS(vigie_reader_free(reader), VIGIE_OK);

    vigie_recorder_config whole = recorder_config("nulls"), part = whole;
    vigie_recorder *recorder = NULL;
    IS(vigie_recorder_start(NULL, &recorder, NULL), null);
    IS(vigie_recorder_start(&whole, NULL, NULL), null);
    vigie_error error = {.struct_size = sizeof error};
    IS(vigie_recorder_start(&whole, NULL, &error), null);
    HOLDS(error.result == null);
    part.url = NULL;
    IS(vigie_recorder_start(&part, &recorder, NULL), null);
    part = whole, part.store = NULL;
    IS(vigie_recorder_start(&part, &recorder, NULL), null);
    part = whole, part.tenant = NULL;
    IS(vigie_recorder_start(&part, &recorder, NULL), null);
    part = whole, part.camera = NULL;
    IS(vigie_recorder_start(&part, &recorder, &error), null);
    HOLDS(error.result == null && error.text[0] && !recorder);
    recorder = new_recorder("nulls");
    IS(vigie_recorder_stats(recorder, NULL), null);
    IS(vigie_recorder_error(recorder, NULL), null);
    IS(vigie_recorder_free(recorder), VIGIE_OK);
}

/* Structs of another size than the library's. */
static void sizes(void) {
    const int wrong = VIGIE_STRUCT_SIZE;
    vigie_remuxer *remuxer = new_remuxer(VIGIE_INPUT_ANNEX_B), *no_remuxer = NULL;
    vigie_session *session = new_session(), *no_session = NULL;
    vigie_store *store = new_store();
    vigie_reader *reader = new_reader();
    vigie_recorder *recorder = new_recorder("sizes"), *no_recorder = NULL;
    uint64_t number;
    EACH(i, WRONG_SIZES) {
        const size_t size = WRONG_SIZES[i];
        vigie_remuxer_config remuxer_config = {.struct_size = size};
        vigie_access_unit unit = {.struct_size = size};
        vigie_remuxer_counters counters = {.struct_size = size};
        vigie_piece piece = {.struct_size = size};
        vigie_error error = {.struct_size = size};
        IS(vigie_remuxer_new(&remuxer_config, &no_remuxer), wrong);
        IS(vigie_remuxer_push_access_unit(remuxer, &unit), wrong);
        IS(vigie_remuxer_pull(remuxer, &piece), wrong);
        IS(vigie_remuxer_stats(remuxer, &counters), wrong);
        IS(vigie_remuxer_error(remuxer, &error), wrong);
        vigie_session_config session_config = {.struct_size = size, .url = "rtsp://a/", .seed = seed};
        vigie_event event = {.struct_size = size};
        vigie_health health = {.struct_size = size};
        IS(vigie_session_new(&session_config, 0, &no_session), wrong);
        IS(vigie_session_pull(session, &event), wrong);
        IS(vigie_session_health(session, 0, &health), wrong);
        IS(vigie_session_error(session, &error), wrong);
        vigie_listing listing = {.struct_size = size};
        vigie_export request = {.struct_size = size};
        vigie_hold_request hold = {.struct_size = size};
        vigie_check check = {.struct_size = size};
        IS(vigie_store_list(store, "town", "gate", 0, 1, &listing), wrong);
        IS(vigie_store_export(store, &request), wrong);
        IS(vigie_store_hold_add(store, &hold, &number), wrong);
        IS(vigie_store_check(store, "town", "gate", &check), wrong);
        IS(vigie_store_error(store, &error), wrong);
        IS(vigie_reader_next(reader, &piece), wrong);
        IS(vigie_reader_next_key(reader, &piece), wrong);
        IS(vigie_reader_error(reader, &error), wrong);
        vigie_recorder_config config = recorder_config("sizes-2");
        config.struct_size = size;
        vigie_recorder_counters kept = {.struct_size = size};
        IS(vigie_recorder_start(&config, &no_recorder, NULL), wrong);
        config.struct_size = sizeof config;
        IS(vigie_recorder_start(&config, &no_recorder, &error), wrong);
        IS(vigie_recorder_stats(recorder, &kept), wrong);
        IS(vigie_recorder_error(recorder, &error), wrong);
        HOLDS(piece.struct_size == size && event.struct_size == size && listing.struct_size == size);
    }
    HOLDS(!no_remuxer && !no_session && !no_recorder);
    IS(vigie_remuxer_free(remuxer), VIGIE_OK);
    IS(vigie_session_free(session), VIGIE_OK);
    IS(vigie_store_free(store), VIGIE_OK);
    IS(vigie_reader_free(reader), VIGIE_OK);
    IS(vigie_recorder_free(recorder), VIGIE_OK);
}

/* Lengths that no buffer has: refused before a byte is read. Strings without an end, or that are no UTF-8. */
static void lengths(void) {
    const int bad = VIGIE_ARGUMENT;
    vigie_remuxer *remuxer = new_remuxer(VIGIE_INPUT_ANNEX_B), *rtp = new_remuxer(VIGIE_INPUT_RTP);
    vigie_session *session = new_session();
    vigie_store *store = new_store();
    const char *gate = "gate";
    EACH(i, HUGE_LENGTHS) {
        const size_t len = HUGE_LENGTHS[i];
        IS(vigie_remuxer_push(remuxer, bytes, len), bad);
        IS(vigie_remuxer_push_rtp(rtp, bytes, len, 0), bad);
        IS(vigie_remuxer_push_rtcp(rtp, bytes, len, 0), bad);
        vigie_access_unit unit = {.struct_size = sizeof unit, .bytes = bytes, .len = len};
        IS(vigie_remuxer_push_access_unit(rtp, &unit), bad);
        vigie_remuxer_config sdp = {.struct_size = sizeof sdp, .input = VIGIE_INPUT_RTP, .sdp = bytes, .sdp_len = len};
        vigie_remuxer *none = NULL;
        IS(vigie_remuxer_new(&sdp, &none), bad);
        IS(vigie_session_push(session, 0, bytes, len), bad);
        IS(vigie_session_received(session, 0, len), bad);
        IS(vigie_session_datagram(session, 0, 0, 0, bytes, len), bad);
        vigie_hold_request hold = {.struct_size = sizeof hold, .tenant = "town", .cameras = &gate, .camera_count = len,
            .span = {0, 1}, .case_name = "c", .who = "w", .why = "y"};
        uint64_t number;
        IS(vigie_store_hold_add(store, &hold, &number), bad);
        HOLDS(!none);
    }
    IS(vigie_remuxer_push_rtp(rtp, bytes, 65536, 0), bad);
    char *endless = malloc(5000);
    memset(endless, 'a', 5000);
    vigie_listing listing = {.struct_size = sizeof listing};
    vigie_check check = {.struct_size = sizeof check};
    vigie_reader *reader = NULL;
    vigie_store *other = NULL;
    const char *const texts[] = {endless, "\xff\xfe", "../gate", ""};
    EACH(i, texts) {
        IS(vigie_store_list(store, texts[i], gate, 0, 1, &listing), bad);
        IS(vigie_store_list(store, "town", texts[i], 0, 1, &listing), bad);
        IS(vigie_store_check(store, "town", texts[i], &check), bad);
        IS(vigie_reader_open(folder, texts[i], gate, &reader), bad);
        vigie_recorder_config config = recorder_config(texts[i]);
        vigie_recorder *recorder = NULL;
        IS(vigie_recorder_start(&config, &recorder, NULL), bad);
    }
    IS(vigie_store_open(endless, &other), bad);
    IS(vigie_store_open("/nonexistent", &other), VIGIE_NOT_FOUND);
    IS(vigie_reader_open("/nonexistent", "town", gate, &reader), VIGIE_NOT_FOUND);
    vigie_error error = {.struct_size = sizeof error};
    IS(vigie_store_list(store, "town", "../gate", 0, 1, &listing), bad);
    IS(vigie_store_error(store, &error), VIGIE_OK);
    HOLDS(error.result == bad && error.code != 0 && strcmp(error.camera, "town/../gate") == 0);
    IS(vigie_store_list(store, "town", gate, 1, 1, &listing), bad);
    IS(vigie_store_check(store, "town", "nobody", &check), VIGIE_NOT_FOUND);
    char path[4096];
    snprintf(path, sizeof path, "%s/town/nobody", folder);
    HOLDS(access(path, F_OK) != 0);
    free(endless);
    IS(vigie_store_free(store), VIGIE_OK);
    IS(vigie_session_free(session), VIGIE_OK);
    IS(vigie_remuxer_free(rtp), VIGIE_OK);
    IS(vigie_remuxer_free(remuxer), VIGIE_OK);
}

/* Pointers that no struct can be at. */
static void misaligned(void) {
    const int bad = VIGIE_ARGUMENT;
    static const char *names[4];
    void *off = (char *)names + 1;
    vigie_remuxer *remuxer = new_remuxer(VIGIE_INPUT_RTP);
    vigie_store *store = new_store();
    vigie_hold_request hold = {.struct_size = sizeof hold, .tenant = "town", .cameras = off, .camera_count = 1,
        .span = {0, 1}, .case_name = "c", .who = "w", .why = "y"};
    uint64_t number;
    IS(vigie_remuxer_new(NULL, off), bad);
    IS(vigie_remuxer_pull(remuxer, off), bad);
    IS(vigie_remuxer_next_timeout(remuxer, off), bad);
    IS(vigie_remuxer_error(remuxer, off), bad);
    IS(vigie_store_hold_add(store, &hold, &number), bad);
    IS(vigie_store_free(store), VIGIE_OK);
    IS(vigie_remuxer_free(remuxer), VIGIE_OK);
}

/* Numbers out of their range, and calls in the wrong order. */
static void arguments(void) {
    const int bad = VIGIE_ARGUMENT;
    vigie_remuxer_config configs[] = {
        {.codec = 3}, {.codec = -1}, {.input = 3}, {.input = -1}, {.mode = 2}, {.mode = -1}, {.mode = 1}, {.datagrams = 2},
        {.reserved = 1}, {.input = 1}, {.input = 2}, {.input = 1, .codec = 1, .media = 1}, {.sdp = bytes, .sdp_len = 6}};
    EACH(i, configs) {
        configs[i].struct_size = sizeof configs[i];
        vigie_remuxer *none = NULL;
        IS(vigie_remuxer_new(&configs[i], &none), bad);
        HOLDS(!none);
    }
    vigie_remuxer *remuxer = new_remuxer(VIGIE_INPUT_ANNEX_B);
    vigie_error error = {.struct_size = sizeof error};
    IS(vigie_remuxer_error(remuxer, &error), VIGIE_OK);
    HOLDS(error.result == VIGIE_OK && !error.text[0]);
    IS(vigie_remuxer_push_rtp(remuxer, bytes, 6, 0), VIGIE_ORDER);
    IS(vigie_remuxer_finish(remuxer), VIGIE_OK);
    IS(vigie_remuxer_finish(remuxer), VIGIE_ORDER);
    IS(vigie_remuxer_push(remuxer, bytes, 6), VIGIE_ORDER);
    IS(vigie_remuxer_error(remuxer, &error), VIGIE_OK);
    HOLDS(error.result == VIGIE_ORDER && error.text[0]);
    IS(vigie_remuxer_free(remuxer), VIGIE_OK);

    /* What is no video is not kept for ever. */
    static const unsigned char zeros[(1 << 20) + 1];
    IS(vigie_remuxer_new(NULL, &remuxer), VIGIE_OK);
    for (int i = 0; i < 3; i++) {
        IS(vigie_remuxer_push(remuxer, zeros, sizeof zeros), VIGIE_NOT_VIDEO);
        IS(vigie_remuxer_error(remuxer, &error), VIGIE_OK);
        HOLDS(strstr(error.text, " 1048577 bytes"));
    }
    IS(vigie_remuxer_free(remuxer), VIGIE_OK);

    /* A packet that is none is told with its place; one that is good leaves its number behind. */
    remuxer = new_remuxer(VIGIE_INPUT_RTP);
    unsigned char rtp[] = {0x80, 0xe0, 0x12, 0x34, 0, 0, 0x0b, 0xb8, 0, 0, 0, 9, 0x65, 0x88, 0x84, 0x21};
    IS(vigie_remuxer_push_rtp(remuxer, rtp, 5, 0), VIGIE_STREAM);
    IS(vigie_remuxer_error(remuxer, &error), VIGIE_OK);
    HOLDS(error.code == 250 && error.offset == 5 && error.blame == VIGIE_BLAME_PEER && error.sequence == -1);
    IS(vigie_remuxer_push_rtp(remuxer, rtp, sizeof rtp, 0), VIGIE_OK);
    IS(vigie_remuxer_push(remuxer, bytes, 6), VIGIE_ORDER);
    IS(vigie_remuxer_error(remuxer, &error), VIGIE_OK);
    HOLDS(error.sequence == 0x1234 && error.timestamp == 3000 && error.ssrc == 9 && strstr(error.text, "rtp.seq == 4660"));
    IS(vigie_remuxer_finish(remuxer), VIGIE_OK);
    IS(vigie_remuxer_push_rtp(remuxer, rtp, sizeof rtp, 0), VIGIE_ORDER);
    IS(vigie_remuxer_push_rtcp(remuxer, rtp, sizeof rtp, 0), VIGIE_ORDER);
    IS(vigie_remuxer_free(remuxer), VIGIE_OK);

    vigie_session_config session = {.struct_size = sizeof session, .url = "http://a/", .seed = seed};
    vigie_session *none = NULL;
    IS(vigie_session_new(&session, 0, &none), VIGIE_ADDRESS);
    session.url = "rtsp://a/", session.mode = 3;
    IS(vigie_session_new(&session, 0, &none), bad);
    session.mode = 0, session.transport = 2;
    IS(vigie_session_new(&session, 0, &none), bad);
    HOLDS(!none);
    none = new_session();
    IS(vigie_session_bound(none, 0, 0, 5000, 0), bad);
    IS(vigie_session_datagram(none, 0, 0, 2, bytes, 6), bad);
    /* A camera that is gone: the end is told, with the reason, and then nothing more. */
    vigie_event event = {.struct_size = sizeof event};
    IS(vigie_session_pull(none, &event), VIGIE_OK);
    HOLDS(event.kind == VIGIE_EVENT_SEND && event.len > 20 && !memcmp(event.bytes, "OPTIONS rtsp://127.0.0.1/a ", 27));
    IS(vigie_session_pull(none, &event), VIGIE_AGAIN);
    IS(vigie_session_closed(none, 1), VIGIE_OK);
    IS(vigie_session_pull(none, &event), VIGIE_OK);
    HOLDS(event.kind == VIGIE_EVENT_FAILED && event.number == 710 && event.text);
    IS(vigie_session_pull(none, &event), VIGIE_OK);
    HOLDS(event.kind == VIGIE_EVENT_CLOSE);
    IS(vigie_session_pull(none, &event), VIGIE_END);
    IS(vigie_session_error(none, &error), VIGIE_OK);
    HOLDS(error.code == 710 && error.cseq == 1 && error.offset == 0 && strcmp(error.camera, "rtsp://127.0.0.1/a") == 0);
    HOLDS(!strstr(error.text, "u:p"));
    IS(vigie_session_free(none), VIGIE_OK);

    vigie_reader *reader = new_reader();
    vigie_piece piece = {.struct_size = sizeof piece};
    IS(vigie_reader_next(reader, &piece), VIGIE_ORDER);
    IS(vigie_reader_free(reader), VIGIE_OK);

    vigie_recorder_config config = recorder_config("twice");
    vigie_recorder *first = new_recorder("twice"), *second = NULL;
    IS(vigie_recorder_start(&config, &second, &error), VIGIE_STORAGE);
    HOLDS(!second && error.code != 0 && strcmp(error.camera, "town/twice") == 0);
    config.url = "nowhere";
    IS(vigie_recorder_start(&config, &second, NULL), VIGIE_ADDRESS);
    config = recorder_config("other"), config.transport = 9;
    IS(vigie_recorder_start(&config, &second, NULL), bad);
    config = recorder_config("other"), config.log_level = 6;
    IS(vigie_recorder_start(&config, &second, NULL), bad);
    IS(vigie_recorder_free(first), VIGIE_OK);
}

/* After a panic inside: VIGIE_PANIC, then VIGIE_POISONED for ever, and a free that works. */
static void poisoned(void) {
    vigie_remuxer *remuxer = new_remuxer(VIGIE_INPUT_ANNEX_B);
    vigie_session *session = new_session();
    vigie_store *store = new_store();
    vigie_reader *reader = new_reader();
    vigie_recorder *recorder = new_recorder("poisoned");
    IS(vigie_testing_panic_remuxer(remuxer), VIGIE_PANIC);
    IS(vigie_testing_panic_session(session), VIGIE_PANIC);
    IS(vigie_testing_panic_store(store), VIGIE_PANIC);
    IS(vigie_testing_panic_reader(reader), VIGIE_PANIC);
    IS(vigie_testing_panic_recorder(recorder), VIGIE_PANIC);
    all_of_remuxer(remuxer, VIGIE_POISONED);
    all_of_session(session, VIGIE_POISONED);
    all_of_store(store, VIGIE_POISONED);
    all_of_reader(reader, VIGIE_POISONED);
    all_of_recorder(recorder, VIGIE_POISONED);
    spoilt = recorder;
    for (int i = 0; i < 600 && !refused; i++)
        nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    HOLDS(refused);
    IS(vigie_remuxer_free(remuxer), VIGIE_OK);
    IS(vigie_session_free(session), VIGIE_OK);
    IS(vigie_store_free(store), VIGIE_OK);
    IS(vigie_reader_free(reader), VIGIE_OK);
    IS(vigie_recorder_free(recorder), VIGIE_OK);
}

typedef struct held {
    vigie_result (*hold)(void *, atomic_int *);
    void *handle;
    atomic_int state; /* 1: inside; 2: to leave */
} held;

static void *holder(void *argument) {
    held *held = argument;
    IS(held->hold(held->handle, &held->state), VIGIE_OK);
    return NULL;
}

/* While another thread is inside: VIGIE_BUSY, from every function, free included; afterwards all is well. */
static void threads(void) {
    vigie_remuxer *remuxer = new_remuxer(VIGIE_INPUT_ANNEX_B);
    vigie_session *session = new_session();
    vigie_store *store = new_store();
    vigie_reader *reader = new_reader();
    vigie_recorder *recorder = new_recorder("threads");
    held all[] = {{vigie_testing_hold_remuxer, remuxer, 0}, {vigie_testing_hold_session, session, 0},
        {vigie_testing_hold_store, store, 0}, {vigie_testing_hold_reader, reader, 0}, {vigie_testing_hold_recorder, recorder, 0}};
    pthread_t held_by[5];
    EACH(i, all) pthread_create(&held_by[i], NULL, holder, &all[i]);
    EACH(i, all) while (all[i].state != 1) nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    all_of_remuxer(remuxer, VIGIE_BUSY);
    all_of_session(session, VIGIE_BUSY);
    all_of_store(store, VIGIE_BUSY);
    all_of_reader(reader, VIGIE_BUSY);
    all_of_recorder(recorder, VIGIE_BUSY);
    IS(vigie_remuxer_free(remuxer), VIGIE_BUSY);
    IS(vigie_session_free(session), VIGIE_BUSY);
    IS(vigie_store_free(store), VIGIE_BUSY);
    IS(vigie_reader_free(reader), VIGIE_BUSY);
    IS(vigie_recorder_free(recorder), VIGIE_BUSY);
    EACH(i, all) {
        all[i].state = 2;
        pthread_join(held_by[i], NULL);
    }
    IS(vigie_remuxer_push(remuxer, bytes, 6), VIGIE_OK);
    IS(vigie_remuxer_free(remuxer), VIGIE_OK);
    IS(vigie_session_free(session), VIGIE_OK);
    IS(vigie_store_free(store), VIGIE_OK);
    IS(vigie_reader_free(reader), VIGIE_OK);
    IS(vigie_recorder_free(recorder), VIGIE_OK);
}

/* The handle is written before the first callback. */
static void has_handle(void *context, const vigie_recorder_event *event) {
    HOLDS(event->struct_size == sizeof *event && *(vigie_recorder **)context);
}

/* A camera that is not there: the callbacks say so, and may call back. */
static void callbacks(void) {
    vigie_recorder *given = NULL;
    vigie_recorder_config config = recorder_config("given");
    config.on_event = has_handle, config.on_log = NULL, config.context = &given;
    IS(vigie_recorder_start(&config, &given, NULL), VIGIE_OK);
    IS(vigie_recorder_free(given), VIGIE_OK);
    recording = new_recorder("callbacks");
    for (int i = 0; i < 600 && from_callback == 1000; i++)
        nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    HOLDS(from_callback == VIGIE_ORDER && told > 2 && logged > 0);
    vigie_error error = {.struct_size = sizeof error};
    IS(vigie_recorder_error(recording, &error), VIGIE_OK);
    HOLDS(error.result == VIGIE_SESSION && error.code == 801 && strcmp(error.camera, "town/callbacks") == 0);
    IS(vigie_recorder_stop(recording), VIGIE_OK);
    IS(vigie_recorder_stop(recording), VIGIE_OK);
    vigie_recorder *recorder = recording;
    recording = NULL;
    IS(vigie_recorder_free(recorder), VIGIE_OK);
}

int main(int argc, char **argv) {
    if (argc != 2)
        return 2;
    folder = argv[1];
    HOLDS(vigie_abi_version() == VIGIE_ABI_VERSION);
    HOLDS(strcmp(vigie_result_text(INT32_MIN), vigie_result_text(INT32_MAX)) == 0);
    for (int a = -101; a <= 2; a++)
        for (int b = -101; b < a; b++)
            HOLDS(strcmp(vigie_result_text(a), vigie_result_text(b)) != 0 || strcmp(vigie_result_text(b), "unknown result") == 0);
    nulls();
    sizes();
    lengths();
    misaligned();
    storages();
    arguments();
    callbacks();
    poisoned();
    threads();
    printf("contract: %d checks, %d failures\n", checks, failures);
    return failures > 0;
}
