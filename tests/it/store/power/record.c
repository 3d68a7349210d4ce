/* Preloaded into a process that writes a store: each call that changes files below POWER_STORE goes into the file POWER_TRACE,
   in the order in which they happened, with what was written; and each line "ack N" on standard output. One call at a time, so
   that the order is the real one. sync_file_range promises nothing about a loss of power and is left out.

   A record is one line, after "write" followed by the bytes:
     create INO PATH | truncate INO LENGTH | write INO OFFSET LENGTH | sync INO | syncdir PATH
     mkdir PATH | rename FROM<tab>TO | unlink PATH | ack N */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static void put(const void *bytes, size_t length) {
    static int trace = -1;
    if (trace < 0) trace = syscall(SYS_openat, AT_FDCWD, getenv("POWER_TRACE"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    for (const char *at = bytes; length;) {
        ssize_t done = syscall(SYS_write, trace, at, length);
        if (done <= 0) abort();
        at += done;
        length -= done;
    }
}

static void say(const char *form, ...) {
    char line[9000];
    va_list all;
    va_start(all, form);
    int length = vsnprintf(line, sizeof line, form, all);
    va_end(all);
    put(line, length);
}

static int is_ours(const char *path) {
    const char *store = getenv("POWER_STORE");
    size_t length = store ? strlen(store) : 0;
    return length && !strncmp(path, store, length) && (path[length] == '/' || !path[length]);
}

/* Whether this is open below the store; its path and inode. */
static int of(int fd, char path[4096], struct stat *found) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, 4095);
    if (length < 0) return 0;
    path[length] = 0;
    return is_ours(path) && !fstat(fd, found);
}

static void wrote(int fd, const void *bytes, ssize_t count, off64_t at) {
    char path[4096];
    struct stat found;
    if (0 < count && of(fd, path, &found)) {
        say("write %lu %lld %zd\n", found.st_ino, (long long)at, count);
        put(bytes, count);
    }
}

ssize_t write(int fd, const void *bytes, size_t count) {
    pthread_mutex_lock(&one);
    off64_t at = lseek64(fd, 0, SEEK_CUR);
    ssize_t done = REAL(write)(fd, bytes, count);
    int error = errno;
    const char *ack = fd == 1 ? memmem(bytes, count, "ack ", 4) : NULL;
    if (ack) say("ack %d\n", atoi(ack + 4));
    if (0 <= at) wrote(fd, bytes, done, at);
    pthread_mutex_unlock(&one);
    errno = error;
    return done;
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
    pthread_mutex_lock(&one);
    ssize_t done = REAL(pwrite64)(fd, bytes, count, at);
    int error = errno;
    wrote(fd, bytes, done, at);
    pthread_mutex_unlock(&one);
    errno = error;
    return done;
}

static int synced(int fd, int (*sync)(int)) {
    char path[4096];
    struct stat found;
    pthread_mutex_lock(&one);
    int result = sync(fd), error = errno;
    if (!result && of(fd, path, &found)) {
        if (S_ISDIR(found.st_mode)) say("syncdir %s\n", path);
        else say("sync %lu\n", found.st_ino);
    }
    pthread_mutex_unlock(&one);
    errno = error;
    return result;
}

int fsync(int fd) { return synced(fd, REAL(fsync)); }
int fdatasync(int fd) { return synced(fd, REAL(fdatasync)); }

static int opened(int dir, const char *path, int flags, mode_t mode) {
    struct stat before, after;
    pthread_mutex_lock(&one);
    int is_new = (flags & O_CREAT) && is_ours(path) && fstatat(dir, path, &before, 0);
    int fd = syscall(SYS_openat, dir, path, flags | O_LARGEFILE, mode), error = errno;
    if (0 <= fd && is_ours(path) && !fstat(fd, &after)) {
        if (is_new) say("create %lu %s\n", after.st_ino, path);
        else if (flags & O_TRUNC) say("truncate %lu 0\n", after.st_ino);
    }
    pthread_mutex_unlock(&one);
    errno = error;
    return fd;
}

#define OPENED(dir) mode_t mode = 0; va_list all; va_start(all, flags); if (flags & O_CREAT) mode = va_arg(all, mode_t); \
    va_end(all); return opened(dir, path, flags, mode);
int open64(const char *path, int flags, ...) { OPENED(AT_FDCWD) }
int open(const char *path, int flags, ...) { OPENED(AT_FDCWD) }
int openat64(int dir, const char *path, int flags, ...) { OPENED(dir) }
int openat(int dir, const char *path, int flags, ...) { OPENED(dir) }

int ftruncate64(int fd, off64_t length) {
    char path[4096];
    struct stat found;
    pthread_mutex_lock(&one);
    int result = REAL(ftruncate64)(fd, length), error = errno;
    if (!result && of(fd, path, &found)) say("truncate %lu %lld\n", found.st_ino, (long long)length);
    pthread_mutex_unlock(&one);
    errno = error;
    return result;
}

#define DID(call, told, ...) \
    pthread_mutex_lock(&one); \
    int result = call, error = errno; \
    if (!result && told) { say(__VA_ARGS__); } \
    pthread_mutex_unlock(&one); \
    errno = error; \
    return result;
int rename(const char *from, const char *to) { DID(REAL(rename)(from, to), is_ours(from), "rename %s\t%s\n", from, to) }
int unlink(const char *path) { DID(REAL(unlink)(path), is_ours(path), "unlink %s\n", path) }
int mkdir(const char *path, mode_t mode) { DID(REAL(mkdir)(path, mode), is_ours(path), "mkdir %s\n", path) }

/* Copies are made by read and write, where they are seen. */
ssize_t copy_file_range(int in, off64_t *from, int out, off64_t *to, size_t length, unsigned flags) {
    (void)in, (void)from, (void)out, (void)to, (void)length, (void)flags;
    errno = ENOSYS;
    return -1;
}
ssize_t sendfile64(int out, int in, off64_t *from, size_t length) {
    (void)in, (void)from, (void)out, (void)length;
    errno = ENOSYS;
    return -1;
}
