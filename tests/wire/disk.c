/* Preloaded into the program: what a disk answers that is full, was mounted for reading, or can't vouch for a write.
   The file named by DISK_FAULT holds one line, "write 28 0" or "fsync 5 40": the call, the errno it ends with for files of
   the store, and how many such calls go well before. Without the file the disk is well. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define UNLESS(call) int number = fault(fd, call); if (number) { errno = number; return -1; }

ssize_t write(int fd, const void *bytes, size_t count) { UNLESS("write") return REAL(write)(fd, bytes, count); }
ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) { UNLESS("write") return REAL(pwrite64)(fd, bytes, count, at); }
int fsync(int fd) { UNLESS("fsync") return REAL(fsync)(fd); }
int fdatasync(int fd) { UNLESS("fsync") return REAL(fdatasync)(fd); }
