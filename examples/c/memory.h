/* memory.h: a storage of a host's own, as vigie_storage: in memory, for any number of handles and threads. What a power cut leaves
 * of it is nothing, so that sync has nothing to do; on a disk it is what all depends on: see ffi/README.md.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vigie/storage.h>

typedef struct memory_file {
    char path[256];
    unsigned char *bytes;
    size_t len, room, opened;
    int is_folder, is_locked, is_removed; /* removed: gone when it is closed */
    struct memory_file *next;
} memory_file;

typedef struct memory {
    pthread_mutex_t one;
    memory_file *files;
    size_t used, capacity; /* bytes */
} memory;

static memory_file **memory_find(memory *m, const char *path) {
    memory_file **f = &m->files;
    while (*f && ((*f)->is_removed || strcmp((*f)->path, path)))
        f = &(*f)->next;
    return f;
}

static void memory_drop(memory *m, memory_file *file) {
    memory_file **f = &m->files;
    while (*f != file)
        f = &(*f)->next;
    file->is_removed = 1;
    if (file->opened)
        return;
    *f = file->next;
    m->used -= file->len;
    free(file->bytes);
    free(file);
}

/* The file or folder of a path, made where it is not there, with the folders above it. */
static memory_file *memory_make(memory *m, const char *path, int is_folder) {
    memory_file *found = *memory_find(m, path);
    if (found)
        return found;
    const char *slash = strrchr(path, '/');
    if (slash) {
        char above[256];
        snprintf(above, sizeof above, "%.*s", (int)(slash - path), path);
        if (!memory_make(m, above, 1))
            return NULL;
    }
    memory_file *file = calloc(1, sizeof *file);
    if (file) {
        snprintf(file->path, sizeof file->path, "%s", path);
        file->is_folder = is_folder;
        file->next = m->files;
        m->files = file;
    }
    return file;
}

/* Each callback holds the lock for as long as it lasts. */
static memory *memory_enter(void *context) {
    memory *m = context;
    pthread_mutex_lock(&m->one);
    return m;
}

static int32_t memory_leave(memory *m, int32_t answer) {
    pthread_mutex_unlock(&m->one);
    return answer;
}

static int32_t memory_create(void *context, const char *path, void **file) {
    memory *m = memory_enter(context);
    if (*memory_find(m, path))
        return memory_leave(m, VIGIE_STORAGE_ANSWER_EXISTS);
    memory_file *made = memory_make(m, path, 0);
    if (!made)
        return memory_leave(m, VIGIE_STORAGE_ANSWER_FULL);
    made->opened = 1;
    *file = made;
    return memory_leave(m, VIGIE_STORAGE_ANSWER_DONE);
}

static int32_t memory_open(void *context, const char *path, int32_t access, void **file) {
    memory *m = memory_enter(context);
    memory_file *found = *memory_find(m, path);
    (void)access;
    if (!found || found->is_folder)
        return memory_leave(m, found ? VIGIE_STORAGE_ANSWER_FAILED : VIGIE_STORAGE_ANSWER_NOT_FOUND);
    found->opened++;
    *file = found;
    return memory_leave(m, VIGIE_STORAGE_ANSWER_DONE);
}

static void memory_close(void *context, void *file) {
    memory *m = memory_enter(context);
    memory_file *f = file;
    if (--f->opened == 0 && f->is_removed)
        memory_drop(m, f);
    memory_leave(m, VIGIE_STORAGE_ANSWER_DONE);
}

static int32_t memory_append(void *context, void *file, const vigie_slice *slices, size_t count) {
    memory *m = memory_enter(context);
    memory_file *f = file;
    size_t all = 0;
    for (size_t i = 0; i < count; i++)
        all += slices[i].len;
    if (m->capacity - m->used < all)
        return memory_leave(m, VIGIE_STORAGE_ANSWER_FULL);
    if (f->room - f->len < all) {
        size_t room = 2 * (f->len + all);
        unsigned char *bytes = realloc(f->bytes, room);
        if (!bytes)
            return memory_leave(m, VIGIE_STORAGE_ANSWER_FULL);
        f->bytes = bytes;
        f->room = room;
    }
    for (size_t i = 0; i < count; i++) {
        memcpy(f->bytes + f->len, slices[i].bytes, slices[i].len);
        f->len += slices[i].len;
    }
    m->used += all;
    return memory_leave(m, VIGIE_STORAGE_ANSWER_DONE);
}

static int32_t memory_write_at(void *context, void *file, uint64_t offset, const uint8_t *bytes, size_t len) {
    memory *m = memory_enter(context);
    memory_file *f = file;
    if (offset > f->len || f->len - offset < len)
        return memory_leave(m, VIGIE_STORAGE_ANSWER_FAILED);
    if (len)
        memcpy(f->bytes + offset, bytes, len);
    return memory_leave(m, VIGIE_STORAGE_ANSWER_DONE);
}

static int32_t memory_read_at(void *context, void *file, uint64_t offset, uint8_t *into, size_t len, size_t *read) {
    memory *m = memory_enter(context);
    memory_file *f = file;
    size_t there = offset < f->len ? f->len - (size_t)offset : 0;
    *read = there < len ? there : len;
    if (*read)
        memcpy(into, f->bytes + offset, *read);
    return memory_leave(m, VIGIE_STORAGE_ANSWER_DONE);
}

static int32_t memory_length(void *context, void *file, uint64_t *len) {
    memory *m = memory_enter(context);
    *len = ((memory_file *)file)->len;
    return memory_leave(m, VIGIE_STORAGE_ANSWER_DONE);
}

static int32_t memory_truncate(void *context, void *file, uint64_t len) {
    memory *m = memory_enter(context);
    memory_file *f = file;
    if (len < f->len) {
        m->used -= f->len - (size_t)len;
        f->len = (size_t)len;
    }
    return memory_leave(m, VIGIE_STORAGE_ANSWER_DONE);
}

static int32_t memory_sync(void *context, void *file) {
    (void)context, (void)file;
    return VIGIE_STORAGE_ANSWER_DONE;
}

static int32_t memory_sync_folder(void *context, const char *folder) {
    (void)context, (void)folder;
    return VIGIE_STORAGE_ANSWER_DONE;
}

static int32_t memory_rename(void *context, const char *from, const char *to) {
    memory *m = memory_enter(context);
    memory_file *moved = *memory_find(m, from), *old = *memory_find(m, to);
    if (!moved)
        return memory_leave(m, VIGIE_STORAGE_ANSWER_NOT_FOUND);
    if (old == moved)
        return memory_leave(m, VIGIE_STORAGE_ANSWER_DONE);
    if (old)
        memory_drop(m, old);
    snprintf(moved->path, sizeof moved->path, "%s", to);
    return memory_leave(m, VIGIE_STORAGE_ANSWER_DONE);
}

static int32_t memory_remove(void *context, const char *path) {
    memory *m = memory_enter(context);
    memory_file *found = *memory_find(m, path);
    if (!found || found->is_folder)
        return memory_leave(m, VIGIE_STORAGE_ANSWER_NOT_FOUND);
    memory_drop(m, found);
    return memory_leave(m, VIGIE_STORAGE_ANSWER_DONE);
}

/* Is it right below the folder? Then its name there. */
static const char *memory_below(const memory_file *file, const char *folder) {
    size_t n = strlen(folder);
    if (file->is_removed || (n && (strncmp(file->path, folder, n) || file->path[n] != '/')))
        return NULL;
    const char *name = n ? file->path + n + 1 : file->path;
    return strchr(name, '/') ? NULL : name;
}

static int32_t memory_list(void *context, const char *folder, vigie_storage_listing *listing) {
    memory *m = memory_enter(context);
    if (*folder && !*memory_find(m, folder))
        return memory_leave(m, VIGIE_STORAGE_ANSWER_NOT_FOUND);
    for (memory_file *f = m->files; f; f = f->next) {
        const char *name = memory_below(f, folder);
        if (name)
            vigie_storage_listed(listing, name, f->is_folder, f->len);
    }
    return memory_leave(m, VIGIE_STORAGE_ANSWER_DONE);
}

static int32_t memory_lock(void *context, const char *folder) {
    memory *m = memory_enter(context);
    memory_file *f = memory_make(m, folder, 1);
    if (!f || f->is_locked)
        return memory_leave(m, f ? VIGIE_STORAGE_ANSWER_LOCKED : VIGIE_STORAGE_ANSWER_FULL);
    f->is_locked = 1;
    return memory_leave(m, VIGIE_STORAGE_ANSWER_DONE);
}

static void memory_unlock(void *context, const char *folder) {
    memory *m = memory_enter(context);
    (*memory_find(m, folder))->is_locked = 0;
    memory_leave(m, VIGIE_STORAGE_ANSWER_DONE);
}

static int32_t memory_remove_folder(void *context, const char *folder) {
    memory *m = memory_enter(context);
    memory_file *found = *memory_find(m, folder);
    int holds = 0;
    for (memory_file *f = m->files; f; f = f->next)
        holds |= memory_below(f, folder) != NULL;
    if (!found)
        return memory_leave(m, VIGIE_STORAGE_ANSWER_NOT_FOUND);
    if (!holds && !found->is_locked)
        memory_drop(m, found);
    return memory_leave(m, VIGIE_STORAGE_ANSWER_DONE);
}

/* Footage is refused a little before the end, so that what is open can be closed. */
static int32_t memory_room(void *context) {
    memory *m = memory_enter(context);
    int32_t answer = m->capacity - m->used < m->capacity / 16 ? VIGIE_STORAGE_ANSWER_FULL : VIGIE_STORAGE_ANSWER_DONE;
    return memory_leave(m, answer);
}

static vigie_storage memory_storage(memory *m) {
    return (vigie_storage){sizeof(vigie_storage), m, memory_create, memory_open, memory_close, memory_append, memory_write_at,
        memory_read_at, memory_length, memory_truncate, memory_sync, memory_sync_folder, memory_rename, memory_remove, memory_list,
        memory_lock, memory_unlock, memory_remove_folder, memory_room};
}

static void memory_free(memory *m) {
    while (m->files) {
        m->files->opened = 0;
        memory_drop(m, m->files);
    }
}
