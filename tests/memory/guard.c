/* A malloc that makes accesses outside of a block visible: loaded with LD_PRELOAD, and turned on by guard_on().

A block either ends right before a span of pages that must not be touched (the default), or begins right behind
one (GUARD_SIDE=begin), so that one byte outside is a SIGSEGV. What is freed can never be touched again: addresses
are not used twice. Bytes between a block and its page, which a larger alignment leaves, hold a pattern that is
looked at when the block is freed.

The process ends with one line on stderr that begins with "guard:", for whoever reads what it died of.

Blocks of the time before guard_on(), and those beyond what the kernel can map, come from glibc; guard_count()
says how many those are. Linux and glibc only. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);
void guard_tell(const char *what, int is_signal); /* guard_tell.c */

#define PAGE ((size_t)4096)
#define GAP (8 * PAGE)             /* pages between two blocks */
#define REGION ((size_t)1 << 41)   /* addresses: none is used twice */
#define MOST_BYTES ((size_t)2 << 30) /* of live blocks: the limit of memory does not see what lies in here */
#define FILL 0xA5                  /* of a new block, unless it is large: a page that is zero looks sane */
#define FILL_BELOW ((size_t)1 << 20)
#define PATTERN 0xC9
#define MARGIN ((size_t)64)        /* bytes beside a block that are looked at when it is freed */

typedef struct {
    uint64_t size;
    uint32_t offset; /* of the block in its first page */
    uint32_t state;
} Block;

enum { UNUSED, LIVE, FREED };
enum { GUARDED, PASSED_ON, LIVING };

static uint8_t *base;
static Block *blocks; /* one for each page of the region */
static size_t next_page, most_blocks, live_bytes;
static long counts[3];
static int is_on, begins;
static __thread int inside;

static void on_fault(int signal_, siginfo_t *info, void *context) {
    char what[200];
    uint8_t *address = info->si_addr;
    struct sigaction usual = {.sa_handler = SIG_DFL};
    int is_write = 0;
#ifdef __x86_64__
    is_write = (((ucontext_t *)context)->uc_mcontext.gregs[REG_ERR] & 2) != 0;
#endif
    const char *kind = is_write ? "write" : "read";
    inside = 1;
    sigaction(signal_, &usual, NULL);
    size_t page = (size_t)(address - base) / PAGE, before = page, behind = page + 1;
    if (address < base || page >= next_page) {
        snprintf(what, sizeof what, "%s far from all blocks, at %p", kind, (void *)address);
        guard_tell(what, 1);
        return;
    }
    while (before && blocks[before].state == UNUSED) {
        before--;
    }
    while (behind < next_page && blocks[behind].state == UNUSED) {
        behind++;
    }
    Block *found = &blocks[before];
    uint8_t *start = base + before * PAGE + found->offset;
    long past = address - start - (long)found->size;
    long ahead = behind < next_page ? (long)(base + behind * PAGE + blocks[behind].offset - address) : 1L << 40;
    if (past < 0 && address >= start) {
        snprintf(what, sizeof what, "%s in a freed block of %zu bytes", kind, (size_t)found->size);
    } else if (found->state != UNUSED && past >= 0 && past <= ahead) {
        snprintf(what, sizeof what, "%s %ld bytes behind a%s block of %zu bytes", kind, past,
                 found->state == FREED ? " freed" : "", (size_t)found->size);
    } else {
        found = &blocks[behind];
        snprintf(what, sizeof what, "%s %ld bytes before a%s block of %zu bytes", kind, ahead,
                 found->state == FREED ? " freed" : "", (size_t)found->size);
    }
    guard_tell(what, 1);
}

static void fail(const char *what, Block *block) {
    char line[200];
    snprintf(line, sizeof line, "%s a block of %zu bytes, seen when it was freed", what, (size_t)block->size);
    inside = 1;
    guard_tell(line, 0);
    abort();
}

static int owns(const void *pointer) {
    return base && (const uint8_t *)pointer >= base && (const uint8_t *)pointer < base + REGION;
}

static Block *block_of(const void *pointer) {
    return &blocks[(size_t)((const uint8_t *)pointer - base) / PAGE];
}

static size_t pages_of(const Block *block) {
    return (block->offset + block->size + PAGE - 1) / PAGE;
}

/* As malloc aligns, but no more than an object of that size could need: little is left behind a block then, and
nothing behind an array of numpy. Others get 4 at least: the interpreter takes no code at an odd address. */
static size_t natural(size_t size, size_t least) {
    size_t lowest = size & -size;
    return lowest > 16 || !lowest ? 16 : lowest < least ? least : lowest;
}

static void *pass_on(void) {
    __atomic_fetch_add(&counts[PASSED_ON], 1, __ATOMIC_RELAXED);
    return NULL;
}

static void *make(size_t size, size_t alignment, int zeros) {
    size_t length = begins ? size : (size + alignment - 1) / alignment * alignment;
    size_t pages = (length + PAGE - 1) / PAGE;
    if (!is_on || inside || alignment > PAGE || size > MOST_BYTES) {
        return NULL;
    }
    if (__atomic_load_n(&counts[LIVING], __ATOMIC_RELAXED) >= (long)most_blocks ||
        __atomic_load_n(&live_bytes, __ATOMIC_RELAXED) + size > MOST_BYTES) {
        return pass_on();
    }
    size_t first = __atomic_fetch_add(&next_page, pages + GAP / PAGE + (pages == 0), __ATOMIC_RELAXED);
    uint8_t *start = base + first * PAGE;
    if ((first + pages + 1) * PAGE + GAP > REGION ||
        (pages && mprotect(start, pages * PAGE, PROT_READ | PROT_WRITE))) {
        return pass_on();
    }
    Block *block = &blocks[first];
    block->size = size;
    block->offset = begins ? 0 : (uint32_t)(pages * PAGE - length);
    block->state = LIVE;
    uint8_t *pointer = start + block->offset, *end = start + pages * PAGE;
    size_t ahead = block->offset < MARGIN ? block->offset : MARGIN;
    size_t slack = (size_t)(end - pointer) - size;
    memset(pointer - ahead, PATTERN, ahead);
    memset(pointer + size, PATTERN, slack < MARGIN ? slack : MARGIN);
    if (!zeros && size < FILL_BELOW) {
        memset(pointer, FILL, size);
    }
    __atomic_fetch_add(&counts[GUARDED], 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&counts[LIVING], 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&live_bytes, size, __ATOMIC_RELAXED);
    return pointer;
}

static void drop(void *pointer) {
    Block *block = block_of(pointer);
    if (block->state != LIVE || (size_t)((uint8_t *)pointer - base) % PAGE != block->offset % PAGE) {
        fail(block->state == FREED ? "second free of" : "free of a place in", block);
    }
    size_t pages = pages_of(block);
    uint8_t *start = base + (size_t)(block - blocks) * PAGE, *at = pointer, *end = start + pages * PAGE;
    size_t slack = (size_t)(end - at) - block->size;
    for (size_t i = 1; i <= block->offset && i <= MARGIN; i++) {
        if (at[-(long)i] != PATTERN) {
            fail("write before", block);
        }
    }
    for (size_t i = 0; i < slack && i < MARGIN; i++) {
        if (at[block->size + i] != PATTERN) {
            fail("write behind", block);
        }
    }
    block->state = FREED;
    /* Mapped anew, not protected: the kernel puts it together with what is beside it, and takes its pages. */
    if (pages && mmap(start, pages * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) ==
                     MAP_FAILED) {
        mprotect(start, pages * PAGE, PROT_NONE);
    }
    __atomic_fetch_sub(&counts[LIVING], 1, __ATOMIC_RELAXED);
    __atomic_fetch_sub(&live_bytes, block->size, __ATOMIC_RELAXED);
}

void *malloc(size_t size) {
    void *made = make(size, natural(size, 4), 0);
    return made ? made : __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    void *made = make(bytes, natural(bytes, 4), 1);
    return made ? made : __libc_calloc(count, size);
}

void free(void *pointer) {
    int error = errno;
    if (owns(pointer)) {
        drop(pointer);
    } else {
        __libc_free(pointer);
    }
    errno = error;
}

size_t malloc_usable_size(void *pointer) {
    static size_t (*usual)(void *);
    if (owns(pointer)) {
        return block_of(pointer)->size;
    }
    if (!usual) {
        *(void **)&usual = dlsym(RTLD_NEXT, "malloc_usable_size");
    }
    return usual(pointer);
}

static void *move(void *pointer, size_t size, size_t least) {
    if (pointer && !owns(pointer) && (!is_on || inside)) {
        return __libc_realloc(pointer, size);
    }
    if (pointer && !size) {
        free(pointer);
        return NULL;
    }
    void *made = make(size, natural(size, least), 0);
    made = made ? made : __libc_malloc(size);
    if (made && pointer) {
        size_t old = malloc_usable_size(pointer);
        memcpy(made, pointer, old < size ? old : size);
        free(pointer);
    }
    return made;
}

void *realloc(void *pointer, size_t size) {
    return move(pointer, size, 4);
}

/* The same with no byte behind the block, whatever the size: `guard_numpy.c` takes them. */
void *guard_malloc(size_t size) {
    void *made = make(size, natural(size, 1), 0);
    return made ? made : __libc_malloc(size);
}

void *guard_calloc(size_t bytes) {
    void *made = make(bytes, natural(bytes, 1), 1);
    return made ? made : __libc_calloc(bytes, 1);
}

void *guard_realloc(void *pointer, size_t size) {
    return move(pointer, size, 1);
}

void *reallocarray(void *pointer, size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(pointer, bytes);
}

void *memalign(size_t alignment, size_t size) {
    void *made = alignment && !(alignment & (alignment - 1)) ? make(size, alignment, 0) : NULL;
    return made ? made : __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    return memalign(alignment, size);
}

int posix_memalign(void **out, size_t alignment, size_t size) {
    if (alignment % sizeof(void *) || !alignment || (alignment & (alignment - 1))) {
        return EINVAL;
    }
    void *made = memalign(alignment, size);
    if (!made) {
        return ENOMEM;
    }
    *out = made;
    return 0;
}

/* Guard every block from now on. Returns 0, or -1 where the kernel gives no addresses. */
int guard_on(void) {
    if (!base) {
        const char *side = getenv("GUARD_SIDE");
        int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
        void *region = mmap(NULL, REGION, PROT_NONE, flags, -1, 0);
        void *table = mmap(NULL, REGION / PAGE * sizeof(Block), PROT_READ | PROT_WRITE, flags, -1, 0);
        void *frames[4];
        FILE *limit = fopen("/proc/sys/vm/max_map_count", "r");
        long maps = 0;
        if (region == MAP_FAILED || table == MAP_FAILED || !limit || fscanf(limit, "%ld", &maps) != 1) {
            return -1;
        }
        fclose(limit);
        begins = side && !strcmp(side, "begin");
        most_blocks = (size_t)(maps > 20000 ? maps - 10000 : maps / 2) / 2; /* a block makes two mappings more */
        next_page = GAP / PAGE;
        blocks = table;
        base = region;
        backtrace(frames, 4); /* loads what it needs now, not when a block cannot be had */
        struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
        sigaction(SIGSEGV, &action, NULL);
    }
    is_on = 1;
    return 0;
}

void guard_off(void) {
    is_on = 0;
}

/* 0: blocks that were guarded; 1: blocks that should have been, but were too many; 2: those alive now. */
long guard_count(int which) {
    return counts[which];
}
