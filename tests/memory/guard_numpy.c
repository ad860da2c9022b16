/* The allocator of guard.c for the arrays of numpy (NEP 49): with a handler of its own, numpy keeps no small blocks
to use them again, and asks for every array. */
#include <stdint.h>
#include <stdlib.h>

void *guard_malloc(size_t);
void *guard_calloc(size_t);
void *guard_realloc(void *, size_t);

static void *handler_malloc(void *context, size_t size) {
    (void)context;
    return guard_malloc(size);
}

static void *handler_calloc(void *context, size_t count, size_t size) {
    (void)context;
    return guard_calloc(count * size); /* numpy has looked whether it fits */
}

static void *handler_realloc(void *context, void *pointer, size_t size) {
    (void)context;
    return guard_realloc(pointer, size);
}

static void handler_free(void *context, void *pointer, size_t size) {
    (void)context;
    (void)size;
    free(pointer);
}

/* PyDataMem_Handler of numpy/ndarraytypes.h. */
struct {
    char name[127];
    uint8_t version;
    void *context;
    void *(*malloc)(void *, size_t);
    void *(*calloc)(void *, size_t, size_t);
    void *(*realloc)(void *, void *, size_t);
    void (*free)(void *, void *, size_t);
} guard_numpy = {"skopsafe_guard", 1, NULL, handler_malloc, handler_calloc, handler_realloc, handler_free};
