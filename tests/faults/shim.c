/* A disk that fails: preloaded into a process, it stands between it and some of its files.

   BAD_DISK_FILES  which files: a pattern of their whole path, such as "*-wal"
   BAD_DISK_CALL   what is counted: "write", "sync" or "read"
   BAD_DISK_AT     the n-th of these fails, counted from 1
   BAD_DISK_HOW    "eio", "enospc", "kill" (the process dies before it), "torn" (dies after half of a write)
   BAD_DISK_WHILE  while this file exists, such files take nothing: writing and syncing fail with EIO
   BAD_DISK_LOG    what is done to these files is written here, for disk.py to find out what a power cut leaves

   cc -shared -fPIC -o shim.so shim.c -ldl -lpthread
*/
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum call { WRITE, SYNC, READ, OTHER };

static const char *files, *how, *sick;
static enum call counted = OTHER;
static long at = 0, seen = 0;
static int log_fd = -1;
static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;

void bad_disk_begin(void) {
    const char *call = getenv("BAD_DISK_CALL"), *n = getenv("BAD_DISK_AT");
    const char *log = getenv("BAD_DISK_LOG");
    how = getenv("BAD_DISK_HOW");
    sick = getenv("BAD_DISK_WHILE");
    counted = !call ? OTHER : !strcmp(call, "write") ? WRITE : !strcmp(call, "sync") ? SYNC : READ;
    at = n ? atol(n) : 0;
    seen = 0;
    if (log_fd >= 0) syscall(SYS_close, log_fd);
    log_fd = log ? (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
    files = getenv("BAD_DISK_FILES");
}

__attribute__((constructor)) static void loaded(void) { bad_disk_begin(); }

static int concerns(int fd, char *path) {
    char name[64];
    if (!files) return 0;
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(name, path, PATH_MAX - 1);
    if (size <= 0) return 0;
    path[size] = 0;
    return fnmatch(files, path, 0) == 0;
}

static void write_all(const void *data, size_t size) {
    const char *from = data;
    while (size > 0) {
        long done = syscall(SYS_write, log_fd, from, size);
        if (done <= 0) return;
        from += done;
        size -= (size_t)done;
    }
}

/* One line that says what was done, and after a write what was written. */
static void tell(char what, const char *path, off_t offset, const void *data, size_t size) {
    char line[PATH_MAX + 64];
    if (log_fd < 0) return;
    int length = snprintf(line, sizeof line, "%c %lld %zu %s\n", what, (long long)offset, size, path);
    write_all(line, (size_t)length);
    if (data) write_all(data, size);
}

/* 0: go on; else the errno to fail with. A death does not return. */
static int trouble(enum call call, int fd, const void *data, size_t size, off_t offset) {
    if (call != READ && sick && access(sick, F_OK) == 0) return EIO;
    if (call != counted || ++seen != at || !how) return 0;
    if (!strcmp(how, "torn") && call == WRITE && size > 1) {
        if (offset >= 0) syscall(SYS_pwrite64, fd, data, size / 2, offset);
        else syscall(SYS_write, fd, data, size / 2);
    }
    if (!strcmp(how, "kill") || !strcmp(how, "torn")) {
        syscall(SYS_kill, getpid(), SIGKILL);
        for (;;) pause();
    }
    return !strcmp(how, "enospc") ? ENOSPC : EIO;
}

static ssize_t put(int fd, const void *data, size_t size, off_t offset) {
    char path[PATH_MAX];
    int mine = concerns(fd, path), error = 0;
    if (mine) {
        pthread_mutex_lock(&one);
        error = trouble(WRITE, fd, data, size, offset);
    }
    off_t place = offset >= 0 ? offset : mine ? lseek(fd, 0, SEEK_CUR) : 0;
    ssize_t done = -1;
    if (!error) done = offset >= 0 ? syscall(SYS_pwrite64, fd, data, size, offset) : syscall(SYS_write, fd, data, size);
    else errno = error;
    if (mine) {
        int kept = errno;
        if (done > 0) tell('w', path, place, data, (size_t)done);
        pthread_mutex_unlock(&one);
        errno = kept;
    }
    return done;
}

ssize_t write(int fd, const void *data, size_t size) { return put(fd, data, size, -1); }
ssize_t pwrite(int fd, const void *data, size_t size, off_t offset) { return put(fd, data, size, offset); }
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset) { return put(fd, data, size, offset); }

static int flush(int fd, long number) {
    char path[PATH_MAX];
    if (!concerns(fd, path)) return (int)syscall(number, fd);
    pthread_mutex_lock(&one);
    int error = trouble(SYNC, fd, NULL, 0, 0);
    int done = error ? -1 : (int)syscall(number, fd);
    tell(done == 0 ? 's' : 'f', path, 0, NULL, 0);
    pthread_mutex_unlock(&one);
    if (error) errno = error;
    return done;
}

int fsync(int fd) { return flush(fd, SYS_fsync); }
int fdatasync(int fd) { return flush(fd, SYS_fdatasync); }

static ssize_t get(int fd, void *data, size_t size, off_t offset) {
    char path[PATH_MAX];
    if (concerns(fd, path)) {
        pthread_mutex_lock(&one);
        int error = trouble(READ, fd, NULL, 0, 0);
        pthread_mutex_unlock(&one);
        if (error) {
            errno = error;
            return -1;
        }
    }
    return offset >= 0 ? syscall(SYS_pread64, fd, data, size, offset) : syscall(SYS_read, fd, data, size);
}

ssize_t read(int fd, void *data, size_t size) { return get(fd, data, size, -1); }
ssize_t pread(int fd, void *data, size_t size, off_t offset) { return get(fd, data, size, offset); }
ssize_t pread64(int fd, void *data, size_t size, off64_t offset) { return get(fd, data, size, offset); }

static int cut(int fd, off_t size) {
    char path[PATH_MAX];
    int mine = concerns(fd, path);
    if (mine && sick && access(sick, F_OK) == 0) {
        errno = EIO;
        return -1;
    }
    int done = (int)syscall(SYS_ftruncate, fd, size);
    if (mine && done == 0) tell('t', path, size, NULL, 0);
    return done;
}

int ftruncate(int fd, off_t size) { return cut(fd, size); }
int ftruncate64(int fd, off64_t size) { return cut(fd, size); }
