/* One line on stderr that says what the allocator of guard.c has seen, and which code did it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <execinfo.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE 2000
#define ITEM ((size_t)250)
#define MOST_FRAMES 8

static int is_interpreter(const char *name) {
    return !strncmp(name, "python", 6) || !strncmp(name, "libpython", 9);
}

/* Of a signal, the first frames are this, the handler, and its return. */
__attribute__((noinline)) void guard_tell(const char *what, int is_signal) {
    char line[LINE];
    void *frames[40];
    Dl_info own, info;
    const char *last = "";
    int count = backtrace(frames, 40), shown = 0;
    size_t at = (size_t)snprintf(line, ITEM, "guard: %.200s in", what);
    dladdr(__extension__(void *) guard_tell, &own);
    for (int i = is_signal ? 3 : 1; i < count && shown < MOST_FRAMES && at < LINE - 2 * ITEM; i++) {
        if (!dladdr(frames[i], &info) || !info.dli_fname || info.dli_fbase == own.dli_fbase) {
            continue;
        }
        const char *name = strrchr(info.dli_fname, '/');
        name = name ? name + 1 : info.dli_fname;
        if (shown && is_interpreter(name)) {
            break; /* which called it */
        }
        const char *module = strcmp(name, last) ? name : "";
        size_t offset = (size_t)((char *)frames[i] - (char *)info.dli_fbase);
        if (info.dli_sname) {
            at += (size_t)snprintf(line + at, ITEM, " %.80s(%.150s)", module, info.dli_sname);
        } else {
            at += (size_t)snprintf(line + at, ITEM, " %.80s+%#zx", name, offset);
        }
        last = name;
        shown++;
    }
    line[at++] = '\n';
    if (write(2, line, at) < 0) {
        _exit(99);
    }
}
