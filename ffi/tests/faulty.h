/* faulty.h: the storage of examples/c/memory.h, which fails and lies when it is told to. */
#define _GNU_SOURCE
#include <limits.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <time.h>

#include <vigie/vigie.h>

#include "../../examples/c/memory.h"

typedef enum { CREATE, OPEN, CLOSE, APPEND, WRITE_AT, READ_AT, LENGTH, TRUNCATE, SYNC, SYNC_FOLDER, RENAME, REMOVE, LIST, LOCK, UNLOCK,
    REMOVE_FOLDER, ROOM, CALLS } call;

typedef enum { TRUTH, READ_MORE, READ_HUGE, READ_UNSET, LENGTH_ABOVE, LENGTH_UNSET, NO_FILE, TOO_MANY, /* 573 */
    LENGTH_HUGE, LENGTH_NONE, READ_NOTHING, BAD_NAMES, TWICE, STRAYS, LIES } lie;

static struct faulty {
    memory memory;
    vigie_storage inner;
    atomic_int fails;   /* a call; CALLS: none */
    atomic_int passes;  /* so many of it before */
    atomic_int times;   /* that so many fail */
    atomic_long write;  /* the number of the call that fails, of those that change something; -1: none */
    atomic_int all;     /* all of them fail */
    atomic_long writes;
    atomic_int answer;  /* then */
    atomic_int lies;
    atomic_int hits;    /* failures and lies so far */
    atomic_int called[CALLS];
    atomic_int opened, locked;
    vigie_storage_listing *_Atomic listing; /* the last that was given */
    void (*_Atomic meanwhile)(call);        /* called from within each */
} host;

/* What a call answers, if it is to fail. */
static int32_t begins(call now) {
    void (*meanwhile)(call) = host.meanwhile;
    host.called[now]++;
    if (meanwhile)
        meanwhile(now);
    int fails = 0;
    if (now == CREATE || now == APPEND || now == WRITE_AT || now == TRUNCATE || now == SYNC || now == SYNC_FOLDER || now == RENAME ||
        now == REMOVE || now == REMOVE_FOLDER) {
        long n = host.writes++;
        fails = n == host.write || host.all;
    }
    if ((int)now == host.fails && host.passes-- <= 0)
        fails |= host.times-- > 0;
    if (!fails)
        return VIGIE_STORAGE_ANSWER_DONE;
    host.hits++;
    return host.answer;
}

static int lies(lie about) {
    int now = host.lies == (int)about;
    host.hits += now;
    return now;
}

#define BEGIN(call)                   \
    (void)context;                    \
    int32_t answer = begins(call);    \
    if (answer)                       \
        return answer;

static int32_t faulty_create(void *context, const char *path, void **file) {
    BEGIN(CREATE)
    if (lies(NO_FILE))
        return VIGIE_STORAGE_ANSWER_DONE;
    answer = host.inner.create(&host.memory, path, file);
    host.opened += answer == 0;
    return answer;
}

static int32_t faulty_open(void *context, const char *path, int32_t access, void **file) {
    BEGIN(OPEN)
    if (lies(NO_FILE))
        return VIGIE_STORAGE_ANSWER_DONE;
    answer = host.inner.open(&host.memory, path, access, file);
    host.opened += answer == 0;
    return answer;
}

static void faulty_close(void *context, void *file) {
    (void)context;
    begins(CLOSE);
    host.opened--;
    host.inner.close(&host.memory, file);
}

/* What fails has written a part. */
static int32_t faulty_append(void *context, void *file, const vigie_slice *slices, size_t count) {
    (void)context;
    int32_t answer = begins(APPEND);
    vigie_slice half = {slices[0].bytes, slices[0].len / 2};
    if (answer)
        host.inner.append(&host.memory, file, &half, 1);
    return answer ? answer : host.inner.append(&host.memory, file, slices, count);
}

static int32_t faulty_write_at(void *context, void *file, uint64_t offset, const uint8_t *bytes, size_t len) {
    BEGIN(WRITE_AT)
    return host.inner.write_at(&host.memory, file, offset, bytes, len);
}

static int32_t faulty_read_at(void *context, void *file, uint64_t offset, uint8_t *into, size_t len, size_t *read) {
    BEGIN(READ_AT)
    if (lies(READ_UNSET))
        return VIGIE_STORAGE_ANSWER_DONE;
    /* Short reads are no failure. */
    answer = host.inner.read_at(&host.memory, file, offset, into, len > 1000 ? len - 1000 : len, read);
    if (lies(READ_MORE))
        *read = len + 1;
    if (lies(READ_HUGE))
        *read = SIZE_MAX / 2;
    if (lies(READ_NOTHING))
        *read = 0;
    return answer;
}

static int32_t faulty_length(void *context, void *file, uint64_t *len) {
    BEGIN(LENGTH)
    if (lies(LENGTH_UNSET))
        return VIGIE_STORAGE_ANSWER_DONE;
    answer = host.inner.length(&host.memory, file, len);
    if (lies(LENGTH_HUGE))
        *len = (uint64_t)1 << 44;
    if (lies(LENGTH_ABOVE))
        *len = ((uint64_t)1 << 44) + 1;
    if (lies(LENGTH_NONE))
        *len = 0;
    return answer;
}

static int32_t faulty_truncate(void *context, void *file, uint64_t len) {
    BEGIN(TRUNCATE)
    return host.inner.truncate(&host.memory, file, len);
}

static int32_t faulty_sync(void *context, void *file) {
    BEGIN(SYNC)
    return host.inner.sync(&host.memory, file);
}

static int32_t faulty_sync_folder(void *context, const char *folder) {
    BEGIN(SYNC_FOLDER)
    return host.inner.sync_folder(&host.memory, folder);
}

static int32_t faulty_rename(void *context, const char *from, const char *to) {
    BEGIN(RENAME)
    return host.inner.rename(&host.memory, from, to);
}

static int32_t faulty_remove(void *context, const char *path) {
    BEGIN(REMOVE)
    return host.inner.remove(&host.memory, path);
}

static int failures;
#define HOLDS(what) ((what) ? (void)0 : (void)(failures++, fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #what)))

static int32_t faulty_list(void *context, const char *folder, vigie_storage_listing *listing) {
    BEGIN(LIST)
    host.listing = listing;
    if (lies(BAD_NAMES)) {
        char longest[257];
        memset(longest, 'a', 256);
        longest[256] = 0;
        const char *const bad[] = {"", ".", "..", "a/b", "/", "\xff\xfe", longest};
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
            HOLDS(vigie_storage_listed(listing, bad[i], 0, 1) == VIGIE_ARGUMENT);
        HOLDS(vigie_storage_listed(listing, NULL, 0, 1) == VIGIE_NULL_POINTER);
        HOLDS(vigie_storage_listed(NULL, "a", 0, 1) == VIGIE_NULL_POINTER);
        HOLDS(vigie_storage_listed(listing, "a", 2, 1) == VIGIE_ARGUMENT);
        HOLDS(vigie_storage_listed(listing, "long", 0, UINT64_MAX) == VIGIE_ARGUMENT);
        HOLDS(vigie_storage_listed(listing, longest + 1, 0, (uint64_t)1 << 44) == VIGIE_OK);
    }
    /* Each hour of a day (tenant, camera, day, hour). */
    int depth = 0;
    for (const char *c = folder; *c; c++)
        depth += *c == '/';
    if (depth == 3 && lies(STRAYS))
        for (int i = 0; i < 12000; i++) {
            char name[32];
            snprintf(name, sizeof name, "stray-%d", i);
            vigie_storage_listed(listing, name, 0, 1);
        }
    if (lies(TWICE))
        host.inner.list(&host.memory, folder, listing);
    if (lies(TOO_MANY))
        for (int i = 0; i <= 1 << 18; i++)
            HOLDS(vigie_storage_listed(listing, "again", 0, 1) == (i < 1 << 18 ? VIGIE_OK : VIGIE_ARGUMENT));
    return host.inner.list(&host.memory, folder, listing);
}

static int32_t faulty_lock(void *context, const char *folder) {
    BEGIN(LOCK)
    answer = host.inner.lock(&host.memory, folder);
    host.locked += answer == 0;
    return answer;
}

static void faulty_unlock(void *context, const char *folder) {
    (void)context;
    begins(UNLOCK);
    host.locked--;
    host.inner.unlock(&host.memory, folder);
}

static int32_t faulty_remove_folder(void *context, const char *folder) {
    BEGIN(REMOVE_FOLDER)
    return host.inner.remove_folder(&host.memory, folder);
}

static int32_t faulty_room(void *context) {
    BEGIN(ROOM)
    return host.inner.room(&host.memory);
}

static vigie_storage faulty_storage(void) {
    host.inner = memory_storage(&host.memory);
    return (vigie_storage){sizeof(vigie_storage), NULL, faulty_create, faulty_open, faulty_close, faulty_append, faulty_write_at,
        faulty_read_at, faulty_length, faulty_truncate, faulty_sync, faulty_sync_folder, faulty_rename, faulty_remove, faulty_list,
        faulty_lock, faulty_unlock, faulty_remove_folder, faulty_room};
}

static void (*const nothing)(call) = NULL;

/* All goes well from now on. */
static void heal(void) {
    host.fails = CALLS;
    host.passes = 0;
    host.times = INT_MAX;
    host.write = -1;
    host.all = 0;
    host.writes = 0;
    host.answer = VIGIE_STORAGE_ANSWER_FULL;
    host.lies = TRUTH;
    host.hits = 0;
    host.meanwhile = nothing;
}

/* What is stored, as files below a folder. */
static void dump(const char *into) {
    mkdir(into, 0777);
    for (memory_file *f = host.memory.files; f; f = f->next) {
        char path[1024];
        int n = snprintf(path, sizeof path, "%s/%s", into, f->path);
        for (char *slash = path + strlen(into) + 1; (slash = strchr(slash, '/')); slash++) {
            *slash = 0;
            mkdir(path, 0777);
            *slash = '/';
        }
        FILE *out = f->is_folder || n >= (int)sizeof path ? NULL : fopen(path, "wb");
        HOLDS(f->is_folder || (out && fwrite(f->bytes, 1, f->len, out) == f->len));
        if (out)
            fclose(out);
    }
}
