/* host.c: a host's own storage. Recorded into while it fills up and fails, and again; listed, read, exported, held and checked from
 * it; each callback that fails, each lie, in each call: a result code; and calls from within callbacks.
 *
 *     host URL FOLDER
 *
 * What was recorded is written to FOLDER, as files.
 */
#include "faulty.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

static vigie_storage storage;
static const char *camera = "gate";

static void nap(void) {
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
}

static vigie_store *open_store(void) {
    vigie_store *store = NULL;
    HOLDS(vigie_store_open_on(&storage, &store) == VIGIE_OK);
    return store;
}

/* --- recording --- */

static struct {
    atomic_int failed, back, synced, stopped;
    atomic_uint code;
} told;

static void on_event(void *context, const vigie_recorder_event *event) {
    (void)context;
    if (event->kind == VIGIE_RECORDER_EVENT_STORE_FAILED) {
        told.code = event->code;
        told.failed++;
    }
    told.back += event->kind == VIGIE_RECORDER_EVENT_STORE_BACK;
    told.stopped += event->kind == VIGIE_RECORDER_EVENT_STOPPED;
    if (event->kind == VIGIE_RECORDER_EVENT_SYNCED)
        told.synced = (int)event->number;
}

/* At most 60 s. */
static int waited_for(const atomic_int *what, int least) {
    for (int i = 0; i < 1200 && *what < least; i++)
        nap();
    return *what >= least;
}

static vigie_result start(const char *url, vigie_recorder **recorder, vigie_error *error) {
    vigie_recorder_config config = {.struct_size = sizeof config, .url = url, .tenant = "town", .camera = camera, .on_event = on_event};
    told.failed = told.back = told.synced = told.stopped = 0;
    *recorder = NULL;
    return vigie_recorder_start_on(&config, &storage, recorder, error);
}

static void nothing_is_left(void) {
    HOLDS(host.opened == 0 && host.locked == 0);
}

/* The recorder's thread may be inside. */
static void capacity(size_t bytes) {
    pthread_mutex_lock(&host.memory.one);
    host.memory.capacity = bytes;
    pthread_mutex_unlock(&host.memory.one);
}

static vigie_recorder *_Atomic recording;
static atomic_int asked;

/* From within a callback of the recorder's storage. */
static void back_into_recorder(call now) {
    vigie_recorder *recorder = recording;
    vigie_recorder_counters kept = {.struct_size = sizeof kept};
    if (!recorder || now != SYNC)
        return;
    HOLDS(vigie_recorder_stats(recorder, &kept) == VIGIE_OK);
    HOLDS(vigie_recorder_stop(recorder) == VIGIE_ORDER);
    HOLDS(vigie_recorder_free(recorder) == VIGIE_ORDER);
    asked++;
}

static vigie_recorder *written;
static pthread_t starter;

/* On the thread that starts, or where the handle is written. */
static void from_thread(call now) {
    (void)now;
    if (!pthread_equal(pthread_self(), starter)) {
        HOLDS(written);
        asked++;
    }
}

static void threads(void) {
    vigie_error error = {.struct_size = sizeof error};
    camera = "threads";
    starter = pthread_self();
    asked = 0;
    host.meanwhile = from_thread;
    HOLDS(start("rtsp://127.0.0.1:1/", &written, &error) == VIGIE_OK);
    HOLDS(vigie_recorder_free(written) == VIGIE_OK && asked > 0);
    asked = 0;
    camera = "gate";
    heal();
    nothing_is_left();
}

static void record(const char *url) {
    vigie_recorder *recorder = NULL;
    vigie_error error = {.struct_size = sizeof error};
    /* It fills up, and has room again. */
    capacity(40000);
    HOLDS(start(url, &recorder, &error) == VIGIE_OK);
    HOLDS(waited_for(&told.failed, 1) && told.code == 552);
    HOLDS(vigie_recorder_error(recorder, &error) == VIGIE_OK);
    HOLDS(error.result == VIGIE_STORAGE && error.code == 552 && error.blame == VIGIE_BLAME_STORAGE);
    capacity(256 << 20);
    HOLDS(waited_for(&told.back, 1) && waited_for(&told.synced, 1));
    /* A sync that fails is no sync. */
    host.answer = 28;
    host.passes = 0;
    host.times = 1;
    host.fails = SYNC;
    HOLDS(waited_for(&told.failed, 2) && told.code == 563);
    HOLDS(waited_for(&told.back, 2));
    recording = recorder;
    host.meanwhile = back_into_recorder;
    HOLDS(waited_for(&asked, 1));
    recording = NULL;
    host.meanwhile = nothing;
    vigie_recorder *second = NULL;
    int code = start(url, &second, &error);
    HOLDS(code == VIGIE_STORAGE && error.code == 556 && !second);
    HOLDS(vigie_recorder_stop(recorder) == VIGIE_OK && told.stopped == 1);
    vigie_recorder_counters kept = {.struct_size = sizeof kept};
    HOLDS(vigie_recorder_stats(recorder, &kept) == VIGIE_OK && kept.synced > 1 && !kept.failing);
    HOLDS(vigie_recorder_free(recorder) == VIGIE_OK);
    nothing_is_left();

    /* One write in the middle fails; then all of them. What is whole is found again. */
    heal();
    HOLDS(start(url, &recorder, &error) == VIGIE_OK);
    host.writes = 0;
    host.write = 12;
    HOLDS(waited_for(&host.hits, 1) && waited_for(&told.synced, told.synced + 1));
    host.all = 1;
    HOLDS(waited_for(&told.failed, told.back + 1) && told.code == 552);
    HOLDS(vigie_recorder_stop(recorder) == VIGIE_STORAGE);
    HOLDS(vigie_recorder_free(recorder) == VIGIE_OK);
    nothing_is_left();
    heal();
    HOLDS(start("rtsp://127.0.0.1:1/", &recorder, &error) == VIGIE_OK);
    HOLDS(vigie_recorder_free(recorder) == VIGIE_OK);
    nothing_is_left();
}

/* Recorders that cannot start: each write, and each callback, that fails. The camera is not there. */
static void starts(void) {
    const char *was = camera;
    vigie_recorder *recorder = NULL;
    vigie_error error = {.struct_size = sizeof error};
    int started = 0, refused = 0;
    for (long n = 0; !started; n++) {
        char name[32];
        snprintf(name, sizeof name, "start-%ld", n);
        camera = name;
        heal();
        host.write = n;
        int code = start("rtsp://127.0.0.1:1/", &recorder, &error);
        HOLDS(code == VIGIE_OK || (code == VIGIE_STORAGE && error.code == 552 && host.hits == 1));
        started = host.hits == 0, refused += code != VIGIE_OK;
        HOLDS(code != VIGIE_OK || vigie_recorder_free(recorder) == VIGIE_OK);
        nothing_is_left();
    }
    for (int fails = 0; fails < 2 * CALLS; fails++) {
        /* Of a camera that is new, and of one that has footage. */
        camera = fails < CALLS ? "start-each" : was;
        heal();
        host.fails = fails % CALLS;
        host.answer = VIGIE_STORAGE_ANSWER_DENIED;
        int code = start("rtsp://127.0.0.1:1/", &recorder, &error);
        HOLDS(code == VIGIE_OK || (code == VIGIE_STORAGE && error.code == 553));
        refused += code != VIGIE_OK;
        HOLDS(code != VIGIE_OK || vigie_recorder_free(recorder) == VIGIE_OK);
        nothing_is_left();
    }
    camera = "start-lies";
    for (int lie = 1; lie < LIES; lie++) {
        heal();
        host.lies = lie;
        int code = start("rtsp://127.0.0.1:1/", &recorder, &error);
        HOLDS(code == VIGIE_OK || (code == VIGIE_STORAGE && error.code == 573));
        refused += code != VIGIE_OK;
        HOLDS(code != VIGIE_OK || vigie_recorder_free(recorder) == VIGIE_OK);
        nothing_is_left();
    }
    printf("host: %d starts refused\n", refused);
    HOLDS(refused > 2);
    camera = was;
    heal();
}

/* --- what was recorded --- */

static vigie_span all;
static uint64_t held;

static int lists_cameras(vigie_store *store) {
    const vigie_camera *cameras;
    size_t count;
    return vigie_store_cameras(store, &cameras, &count);
}

static int lists(vigie_store *store) {
    vigie_listing listing = {.struct_size = sizeof listing};
    return vigie_store_list(store, "town", camera, INT64_MIN, INT64_MAX, &listing);
}

static int checks(vigie_store *store) {
    vigie_check check = {.struct_size = sizeof check};
    int code = vigie_store_check(store, "town", camera, &check);
    HOLDS(code || check.damage == 0 || host.hits);
    return code;
}

static int exports(vigie_store *store) {
    vigie_export clip = {.struct_size = sizeof clip, .tenant = "town", .camera = camera, .from = all.from, .to = all.to, .path = "host.mp4"};
    return vigie_store_export(store, &clip);
}

static int lists_holds(vigie_store *store) {
    const vigie_hold *holds;
    size_t count;
    return vigie_store_holds(store, "town", &holds, &count);
}

static int holds(vigie_store *store) {
    vigie_hold_request request = {.struct_size = sizeof request, .tenant = "town", .cameras = &camera, .camera_count = 1, .span = all,
        .case_name = "2026-7", .who = "an officer", .why = "a case"};
    return vigie_store_hold_add(store, &request, &held);
}

static int releases(vigie_store *store) {
    int32_t released;
    int code = vigie_store_hold_release(store, "town", held, "another", "over", &released);
    /* It was released before: by a call that failed after it had been written. */
    return code == VIGIE_NOT_FOUND && !host.hits ? VIGIE_OK : code;
}

/* Reads all; the store is not needed. */
static unsigned long pictures;

static int reads(vigie_store *store) {
    (void)store;
    vigie_reader *reader = NULL;
    vigie_piece piece = {.struct_size = sizeof piece};
    vigie_error error = {.struct_size = sizeof error};
    HOLDS(vigie_reader_open_on(&storage, "town", camera, &reader) == VIGIE_OK);
    HOLDS(vigie_reader_seek(reader, all.from) == VIGIE_OK);
    int code;
    pictures = 0;
    while ((code = vigie_reader_next(reader, &piece)) == VIGIE_OK)
        pictures += piece.samples;
    if (code != VIGIE_END) {
        HOLDS(vigie_reader_error(reader, &error) == VIGIE_OK && error.result == code && error.text[0]);
        HOLDS(error.code >= 550 && error.code < 610);
    }
    HOLDS(vigie_reader_free(reader) == VIGIE_OK);
    return code == VIGIE_END ? VIGIE_OK : code;
}

static const struct {
    int (*run)(vigie_store *);
    const char *name;
} calls_of[] = {{lists_cameras, "cameras"}, {lists, "list"}, {checks, "check"}, {exports, "export"}, {lists_holds, "holds"}, {holds, "hold_add"},
    {releases, "hold_release"}, {reads, "reader"}};
enum { OPERATIONS = sizeof calls_of / sizeof *calls_of };

static void whole(void) {
    heal();
    vigie_store *store = open_store();
    vigie_listing listing = {.struct_size = sizeof listing};
    HOLDS(vigie_store_list(store, "town", camera, INT64_MIN, INT64_MAX, &listing) == VIGIE_OK);
    HOLDS(listing.range_count >= 2 && listing.pictures > 0 && listing.bytes > 0);
    if (failures)
        exit(1);
    int full = 0;
    for (size_t i = 0; i < listing.gap_count; i++)
        full |= listing.gaps[i].cause == VIGIE_CAUSE_STORAGE && listing.gaps[i].code == 552;
    HOLDS(full);
    all = (vigie_span){listing.ranges[0].from, listing.ranges[listing.range_count - 1].to};
    unsigned long listed = (unsigned long)listing.pictures;
    for (int i = 0; i < OPERATIONS; i++)
        HOLDS(calls_of[i].run(store) == VIGIE_OK);
    HOLDS(pictures == listed);
    HOLDS(vigie_store_free(store) == VIGIE_OK);
    nothing_is_left();
}

/* What the operation answers while something is wrong. */
static int answers(int operation) {
    vigie_store *store = open_store();
    vigie_error error = {.struct_size = sizeof error};
    if (calls_of[operation].run == releases) {
        /* There is something to release. */
        int hits = host.hits, fails = host.fails, lie = host.lies;
        long write = host.write;
        host.fails = CALLS;
        host.lies = TRUTH;
        host.write = -1;
        HOLDS(holds(store) == VIGIE_OK);
        host.fails = fails;
        host.lies = lie;
        host.write = write;
        host.writes = 0;
        host.hits = hits;
    }
    int code = calls_of[operation].run(store);
    if (code != VIGIE_OK && calls_of[operation].run != reads) {
        HOLDS(vigie_store_error(store, &error) == VIGIE_OK && error.result == code && error.text[0]);
        HOLDS((error.code >= 550 && error.code < 670) || code == VIGIE_NOT_FOUND);
    }
    HOLDS(vigie_store_free(store) == VIGIE_OK);
    nothing_is_left();
    return code;
}

/* Each callback fails, in each call. */
static void each_fails(void) {
    static const int kinds[] = {VIGIE_STORAGE_ANSWER_FULL, VIGIE_STORAGE_ANSWER_FAILED, 28};
    int failed = 0;
    for (int fails = 0; fails < CALLS; fails++)
        for (int i = 0; i < OPERATIONS; i++)
            for (size_t kind = 0; kind < sizeof kinds / sizeof *kinds; kind++) {
                heal();
                host.fails = fails;
                host.answer = kinds[kind];
                int code = answers(i), lost = code == VIGIE_OK && host.hits && fails != CLOSE && fails != UNLOCK;
                if (lost || (code != VIGIE_OK && (code != VIGIE_STORAGE || !host.hits)))
                    failures++, fprintf(stderr, "host.c: callback %d fails in %s: %d\n", fails, calls_of[i].name, code);
                failed += code != VIGIE_OK;
            }
    /* Each write, in those that write. */
    for (int i = 0; i < OPERATIONS; i++)
        for (long n = 0, more = 1; more; n++) {
            heal();
            host.write = n;
            int code = answers(i);
            more = host.hits > 0;
            HOLDS(code == VIGIE_OK || (code == VIGIE_STORAGE && more));
            failed += code != VIGIE_OK;
        }
    printf("host: %d calls failed\n", failed);
    HOLDS(failed > 100);
}

/* Lies: told, or harmless; the last of them answer what a store may answer. */
static void each_lie(void) {
    int found = 0;
    for (int lie = 1; lie < LIES; lie++)
        for (int i = 0; i < OPERATIONS; i++) {
            heal();
            host.lies = lie;
            int code = answers(i);
            int due = lie < LENGTH_HUGE && host.hits ? VIGIE_STORAGE : VIGIE_OK;
            int harmless = lie == BAD_NAMES || lie == TWICE || lie == STRAYS;
            if (lie < LENGTH_HUGE || harmless ? code != due : code != VIGIE_OK && (code > VIGIE_BUSY || code < VIGIE_DAMAGED))
                failures++, fprintf(stderr, "host.c: lie %d in %s: %d\n", lie, calls_of[i].name, code);
            found += code != VIGIE_OK;
        }
    printf("host: %d lies told\n", found);
    HOLDS(found > 20);
}

/* A folder full of other people's files: the findings have an end. */
static void many_findings(void) {
    heal();
    vigie_store *store = open_store();
    vigie_check check = {.struct_size = sizeof check};
    HOLDS(vigie_store_check(store, "town", camera, &check) == VIGIE_OK && check.finding_count < 100 && !check.more);
    host.lies = STRAYS;
    HOLDS(vigie_store_check(store, "town", camera, &check) == VIGIE_OK);
    HOLDS(check.finding_count == 10000 && check.more == 1 && check.damage == 0);
    HOLDS(!strcmp(check.findings[9999].what, "stray"));
    HOLDS(vigie_store_free(store) == VIGIE_OK);
}

/* A span with gaps is several files: one is open at a time. */
static void few_descriptors(void) {
    heal();
    vigie_store *store = open_store();
    vigie_export clip = {.struct_size = sizeof clip, .tenant = "town", .camera = camera, .from = all.from, .to = all.to, .path = "few.mp4"};
    struct rlimit was = {0}, few;
    int next = open("/dev/null", O_RDONLY);
    HOLDS(next >= 0 && close(next) == 0 && getrlimit(RLIMIT_NOFILE, &was) == 0);
    few = was;
    few.rlim_cur = (rlim_t)next + 1;
    HOLDS(setrlimit(RLIMIT_NOFILE, &few) == 0);
    HOLDS(vigie_store_export(store, &clip) == VIGIE_OK && clip.files >= 2);
    HOLDS(setrlimit(RLIMIT_NOFILE, &was) == 0);
    HOLDS(vigie_store_free(store) == VIGIE_OK);
}

static vigie_store *_Atomic in_use;
static vigie_reader *_Atomic in_use_too;

/* From within a callback: the handle is in use. */
static void back_into_store(call now) {
    const vigie_camera *cameras;
    size_t count;
    vigie_piece piece = {.struct_size = sizeof piece};
    (void)now;
    if (in_use) {
        HOLDS(vigie_store_cameras(in_use, &cameras, &count) == VIGIE_BUSY);
        HOLDS(vigie_store_free(in_use) == VIGIE_BUSY);
        asked++;
    }
    if (in_use_too) {
        HOLDS(vigie_reader_next(in_use_too, &piece) == VIGIE_BUSY);
        HOLDS(vigie_reader_free(in_use_too) == VIGIE_BUSY);
        asked++;
    }
}

static void callbacks_call_back(void) {
    heal();
    vigie_store *store = open_store();
    vigie_reader *reader = NULL;
    vigie_piece piece = {.struct_size = sizeof piece};
    asked = 0;
    in_use = store;
    host.meanwhile = back_into_store;
    HOLDS(lists_cameras(store) == VIGIE_OK && lists(store) == VIGIE_OK && asked > 2);
    /* The listing is over. */
    HOLDS(vigie_storage_listed(host.listing, "late", 0, 1) == VIGIE_ORDER);
    in_use = NULL;
    asked = 0;
    HOLDS(vigie_store_free(store) == VIGIE_OK);
    HOLDS(vigie_reader_open_on(&storage, "town", camera, &reader) == VIGIE_OK);
    in_use_too = reader;
    HOLDS(vigie_reader_seek(reader, all.from) == VIGIE_OK && vigie_reader_next(reader, &piece) == VIGIE_OK && asked > 0);
    in_use_too = NULL;
    /* Freed in the middle: what is open is closed, from within it. */
    HOLDS(vigie_reader_free(reader) == VIGIE_OK);
    nothing_is_left();
}

int main(int argc, char **argv) {
    if (argc != 3)
        return 2;
    pthread_mutex_init(&host.memory.one, NULL);
    host.memory.capacity = 256 << 20;
    storage = faulty_storage();
    heal();
    record(argv[1]);
    threads();
    starts();
    whole();
    few_descriptors();
    dump(argv[2]);
    each_fails();
    each_lie();
    many_findings();
    callbacks_call_back();
    whole();
    memory_free(&host.memory);
    printf("host: %lu pictures, %d failures\n", pictures, failures);
    return failures > 0;
}
