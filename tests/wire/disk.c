/* Preloaded into the program: what a disk answers that is full, was mounted for reading, or can't vouch for a write.
   The file named by DISK_FAULT holds one line, "write 28 0" or "fsync 5 40": the call, the errno it ends with for files of
   the store, and how many such calls go well before. Without the file the disk is well.
   "room 500000 2 150": from the second to the 150th time that somebody asks how much room there is, others have filled the
   disk up to so many bytes; files of the store can take these and what they give back. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>
#include <unistd.h>

static int fault(int fd, const char *call) {
    const char *control = getenv("DISK_FAULT");
    char link[64], path[4096], wanted[16];
    int number = 0, spared = 0;
    static int calls = 0;
    FILE *file = control ? fopen(control, "r") : NULL;
    if (!file) return 0;
    int fields = fscanf(file, "%15s %d %d", wanted, &number, &spared);
    fclose(file);
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (fields != 3 || length < 0 || strcmp(wanted, call) != 0) return 0;
    path[length] = 0;
    if (!strstr(path, "/store/")) return 0;
    return __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED) > spared ? number : 0;
}

/* Bytes that files below this folder take. */
static long long taken(const char *folder) {
    long long sum = 0;
    DIR *all = opendir(folder);
    for (struct dirent *it = all ? readdir(all) : NULL; it; it = readdir(all)) {
        char path[4096];
        struct stat found;
        snprintf(path, sizeof path, "%s/%s", folder, it->d_name);
        if (it->d_name[0] == '.' || lstat(path, &found)) continue;
        sum += S_ISDIR(found.st_mode) ? taken(path) : found.st_blocks * 512LL;
    }
    if (all) closedir(all);
    return sum;
}

static int asked = 0;

/* Bytes that are free, or -1 where the disk is well. The store is the folder `store` of the working directory. */
static long long room(void) {
    static long long full = -1; /* what it may take in all */
    const char *control = getenv("DISK_FAULT");
    FILE *file = control ? fopen(control, "r") : NULL;
    long long left;
    int from, until;
    if (!file) return -1;
    int fields = fscanf(file, "room %lld %d %d", &left, &from, &until);
    fclose(file);
    if (fields != 3 || asked < from || until <= asked) {
        full = -1;
        return -1;
    }
    long long now = taken("store");
    if (full < 0) full = now + left;
    return now < full ? full - now : 0;
}

/* Whether there is no room for so many bytes more at that place. */
static int is_full(int fd, off64_t at, size_t count) {
    char link[64], path[4096];
    struct stat found;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0 || at < 0 || fstat(fd, &found)) return 0;
    path[length] = 0;
    long long more = at + (long long)count - found.st_blocks * 512LL;
    if (!strstr(path, "/store/") || more <= 0) return 0;
    long long free = room();
    return 0 <= free && free < more;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define UNLESS(call) int number = fault(fd, call); if (number) { errno = number; return -1; }

#define UNLESS_FULL(at) if (is_full(fd, at, count)) { errno = ENOSPC; return -1; }

ssize_t write(int fd, const void *bytes, size_t count) { UNLESS("write") UNLESS_FULL(lseek(fd, 0, SEEK_CUR)) return REAL(write)(fd, bytes, count); }
ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) { UNLESS("write") UNLESS_FULL(at) return REAL(pwrite64)(fd, bytes, count, at); }
int fsync(int fd) { UNLESS("fsync") return REAL(fsync)(fd); }
int fdatasync(int fd) { UNLESS("fsync") return REAL(fdatasync)(fd); }
int statvfs(const char *path, struct statvfs *into) {
    int result = REAL(statvfs)(path, into);
    if (!strstr(path, "store")) return result;
    __atomic_add_fetch(&asked, 1, __ATOMIC_RELAXED);
    long long free = room();
    if (0 <= free) into->f_bavail = free / into->f_frsize;
    return result;
}
