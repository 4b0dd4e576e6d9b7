/* store.c: what a recorder has left is listed, read, exported, held and checked; damage is told.
 *
 *     store FOLDER TENANT CAMERA EXPORT.mp4 MEDIA-FILE
 *
 * MEDIA-FILE is one of the camera's: a byte of it is changed at the end.
 */
#include <stdio.h>
#include <string.h>

#include <vigie/export.h>
#include <vigie/hold.h>
#include <vigie/reader.h>
#include <vigie/store.h>

static int failures;
#define HOLDS(what) ((what) ? (void)0 : (void)(failures++, fprintf(stderr, "store.c:%d: not so: %s\n", __LINE__, #what)))

static const char *folder, *tenant, *camera;

/* What a reader gives of all that is there. */
typedef struct read {
    unsigned long inits, fragments, pictures, gaps, damaged, discontinuities;
    int64_t first, last;
    vigie_result end;
} found;

static found read_all(int64_t from, int key) {
    found all = {0};
    vigie_reader *reader = NULL;
    HOLDS(vigie_reader_open(folder, tenant, camera, &reader) == VIGIE_OK);
    HOLDS(vigie_reader_seek(reader, from) == VIGIE_OK);
    vigie_piece piece = {.struct_size = sizeof piece};
    while ((all.end = key ? vigie_reader_next_key(reader, &piece) : vigie_reader_next(reader, &piece)) == VIGIE_OK) {
        all.gaps += piece.kind == VIGIE_PIECE_GAP;
        all.damaged += piece.kind == VIGIE_PIECE_DAMAGED;
        all.inits += piece.kind == VIGIE_PIECE_INIT;
        HOLDS(piece.utc <= piece.utc_end);
        if (piece.kind == VIGIE_PIECE_INIT)
            HOLDS(piece.slices[0].len > 8 && !memcmp(piece.slices[0].bytes + 4, "ftyp", 4) && piece.width && piece.codec_string[0]);
        if (piece.kind != VIGIE_PIECE_FRAGMENT)
            continue;
        HOLDS(piece.slice_count == 1 && piece.slices[0].len > 100 && piece.utc_source && piece.samples);
        HOLDS(all.fragments == 0 || piece.utc >= all.last - 100000);
        HOLDS(piece.flags & VIGIE_PIECE_FLAG_RANDOM_ACCESS);
        all.first = all.fragments++ ? all.first : piece.utc;
        all.last = piece.utc_end;
        all.pictures += piece.samples;
        all.discontinuities += (piece.flags & VIGIE_PIECE_FLAG_DISCONTINUITY) != 0;
    }
    vigie_error error = {.struct_size = sizeof error};
    HOLDS(vigie_reader_error(reader, &error) == VIGIE_OK);
    HOLDS((error.result == VIGIE_DAMAGED) == (all.damaged > 0));
    HOLDS(!all.damaged || (error.code >= 600 && error.code < 610 && error.blame == VIGIE_BLAME_STORAGE && strstr(error.camera, camera)));
    HOLDS(vigie_reader_free(reader) == VIGIE_OK);
    return all;
}

int main(int argc, char **argv) {
    if (argc != 6)
        return 2;
    folder = argv[1], tenant = argv[2], camera = argv[3];
    vigie_store *store = NULL;
    HOLDS(vigie_store_open(folder, &store) == VIGIE_OK);

    const vigie_camera *cameras;
    size_t count = 0, known = 0;
    HOLDS(vigie_store_cameras(store, &cameras, &count) == VIGIE_OK);
    for (size_t i = 0; i < count; i++)
        known += !strcmp(cameras[i].tenant, tenant) && !strcmp(cameras[i].camera, camera);
    HOLDS(known == 1);

    vigie_listing listing = {.struct_size = sizeof listing};
    HOLDS(vigie_store_list(store, tenant, camera, INT64_MIN, INT64_MAX, &listing) == VIGIE_OK);
    HOLDS(listing.range_count == 2 && listing.pictures > 0 && listing.bytes > 0 && listing.lost == 0);
    if (failures)
        return 1;
    /* A person has ended it, and begun again. */
    vigie_gap gap = listing.gaps[0];
    HOLDS(listing.gap_count == 1 && gap.cause == VIGIE_CAUSE_OPERATOR && gap.code == 0);
    HOLDS(gap.span.from == listing.ranges[0].to && gap.span.to == listing.ranges[1].from);
    vigie_span all = {listing.ranges[0].from, listing.ranges[1].to};
    unsigned long pictures = (unsigned long)listing.pictures;

    found whole = read_all(all.from, 0);
    HOLDS(whole.end == VIGIE_END && whole.inits == 1 && whole.gaps == 1 && whole.damaged == 0);
    HOLDS(whole.pictures == pictures && whole.first == all.from && whole.last == all.to);
    HOLDS(read_all(all.from - 3600000000, 0).gaps == 2);
    found later = read_all(gap.span.to, 0);
    HOLDS(later.fragments > 0 && later.fragments < whole.fragments && later.last == all.to);
    HOLDS(read_all(all.from, 1).fragments == whole.fragments);
    HOLDS(read_all(all.to + 3600000000, 0).fragments == 0);

    vigie_export export = {.struct_size = sizeof export, .tenant = tenant, .camera = camera, .from = all.from + 500000,
        .to = all.to - 500000, .path = argv[4], .who = "an officer", .why = "a case", .case_name = "2026-7"};
    HOLDS(vigie_store_export(store, &export) == VIGIE_OK);
    HOLDS(export.files == 2 && export.pictures > 0 && export.pictures < pictures && export.bytes > 0 && export.damaged == 0);
    HOLDS(export.first >= export.from && export.last <= export.to);
    vigie_export all_of_it = export;
    all_of_it.path = "whole.mp4";
    HOLDS(vigie_store_export(store, &all_of_it) == VIGIE_OK && all_of_it.bytes == export.bytes);
    vigie_export nothing = export;
    nothing.from = 0, nothing.to = 1, nothing.files = 77;
    HOLDS(vigie_store_export(store, &nothing) == VIGIE_NOT_FOUND && nothing.files == 77);
    vigie_export nowhere = export;
    nowhere.path = "/nonexistent/x.mp4";
    HOLDS(vigie_store_export(store, &nowhere) == VIGIE_STORAGE);
    vigie_error error = {.struct_size = sizeof error};
    HOLDS(vigie_store_error(store, &error) == VIGIE_OK && strstr(error.text, "cannot be written"));

    vigie_hold_request request = {.struct_size = sizeof request, .tenant = tenant, .cameras = &camera, .camera_count = 1,
        .span = all, .case_name = "2026-7", .who = "an officer", .why = "a case"};
    uint64_t number = 0, other = 0;
    const vigie_hold *holds;
    HOLDS(vigie_store_holds(store, tenant, &holds, &count) == VIGIE_OK && count == 0);
    HOLDS(vigie_store_hold_add(store, &request, &number) == VIGIE_OK && number > 0);
    HOLDS(vigie_store_hold_add(store, &request, &other) == VIGIE_OK && other > number);
    HOLDS(vigie_store_holds(store, tenant, &holds, &count) == VIGIE_OK && count == 2);
    HOLDS(holds[0].number == number && holds[0].span.from == all.from && holds[0].span.to == all.to);
    HOLDS(holds[1].camera_count == 1 && !strcmp(holds[1].cameras[0], camera) && !strcmp(holds[0].who, "an officer"));
    HOLDS(!strcmp(holds[1].case_name, "2026-7") && !holds[1].release_asked_by);
    int32_t released = 0;
    HOLDS(vigie_store_hold_release(store, tenant, number, "another", "over", &released) == VIGIE_OK && released == 1);
    HOLDS(vigie_store_hold_release(store, tenant, number, "another", "over", &released) == VIGIE_NOT_FOUND);
    HOLDS(vigie_store_holds(store, tenant, &holds, &count) == VIGIE_OK && count == 1 && holds[0].number == other);
    request.who = "two\nlines";
    HOLDS(vigie_store_hold_add(store, &request, &number) == VIGIE_ARGUMENT);

    vigie_check check = {.struct_size = sizeof check};
    HOLDS(vigie_store_check(store, tenant, camera, &check) == VIGIE_OK);
    HOLDS(check.damage == 0 && check.files == listing.files && check.fragments == whole.fragments && !check.live);

    /* A byte in the middle of the file is another: one fragment is damaged, the others are not. */
    FILE *media = fopen(argv[5], "r+b");
    HOLDS(media);
    fseek(media, 0, SEEK_END);
    long middle = ftell(media) / 2;
    fseek(media, middle, SEEK_SET);
    int byte = fgetc(media);
    fseek(media, middle, SEEK_SET);
    fputc(byte ^ 0x55, media);
    fclose(media);
    HOLDS(vigie_store_check(store, tenant, camera, &check) == VIGIE_OK && check.damage > 0);
    int hole = 0;
    for (size_t i = 0; i < check.finding_count; i++)
        hole |= !strcmp(check.findings[i].what, "hole") && check.findings[i].damage && strstr(argv[5], check.findings[i].path);
    HOLDS(hole);
    found broken = read_all(all.from, 0);
    HOLDS(broken.damaged >= 1 && broken.fragments + 1 == whole.fragments && broken.end == VIGIE_END);
    HOLDS(vigie_store_export(store, &export) == VIGIE_OK && export.damaged == 1);

    HOLDS(vigie_store_free(store) == VIGIE_OK);
    printf("store: %lu pictures in %lu fragments, %d failures\n", pictures, whole.fragments, failures);
    return failures > 0;
}
