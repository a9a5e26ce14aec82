/* Does a frame of `size` fit?  Every form of the check, for every stack pointer, limit and size of a machine with 8-bit addresses,
 * beside the same question asked in wide integers.  A form is right if it never says "fits" of a frame that does not, never refuses
 * one that does, and refuses every frame, of size 0 too, once the limit is poisoned. */
#include <stdint.h>
#include <stdio.h>

typedef uint8_t word;        /* an address of this machine, or a size: what wraps here at 256 wraps there at 2^64 */
enum { TOP = 255, LARGEST = 16 }; /* LARGEST: what a stack's lowest address is above, and its highest below TOP by */

/* Growing down: `sp` falls, `limit` is the lowest address that may be used, poison is the largest word. */
static int down_wraps(word sp, word limit, word size) { return (word)(sp - size) >= limit; }
static int down_cured(word sp, word limit, word size) { return (word)(sp - limit) >= size; }
static int down_signed(word sp, word limit, word size) { return (int8_t)(word)(sp - size) >= (int8_t)limit; }
static int down_right(word sp, word limit, word size) { return sp >= limit && (word)(sp - limit) >= size; }
static int down_small(word sp, word limit, word size) { return (word)(sp - size) >= limit; } /* sizes up to LARGEST only */

/* Growing up: `limit` is the first address that may not be used, poison is 0. */
static int up_wraps(word sp, word limit, word size) { return (word)(sp + size) <= limit; }
static int up_cured(word sp, word limit, word size) { return (word)(limit - sp) >= size; }
static int up_right(word sp, word limit, word size) { return sp <= limit && (word)(limit - sp) >= size; }
static int up_small(word sp, word limit, word size) { return (word)(sp + size) <= limit; }

static const struct form {
    const char *name;
    int (*fits)(word sp, word limit, word size);
    int up, largest;
} FORMS[] = {
    {"down_wraps", down_wraps, 0, TOP}, {"down_cured", down_cured, 0, TOP}, {"down_signed", down_signed, 0, LARGEST},
    {"down_right", down_right, 0, TOP}, {"down_small", down_small, 0, LARGEST},
    {"up_wraps", up_wraps, 1, TOP}, {"up_cured", up_cured, 1, TOP}, {"up_right", up_right, 1, TOP},
    {"up_small", up_small, 1, LARGEST},
};

int main(void) {
    for (unsigned n = 0; n < sizeof FORMS / sizeof *FORMS; n++) {
        const struct form *form = &FORMS[n];
        long overruns = 0, refused = 0, unseen = 0;
        word poison = form->up ? 0 : TOP;
        for (int limit = LARGEST + 1; limit < TOP - LARGEST; limit++)
            for (int sp = LARGEST + 1; sp < TOP - LARGEST; sp++)
                for (int size = 0; size <= form->largest; size++) {
                    int room = form->up ? limit - sp : sp - limit;
                    if (room < 0) continue; /* the stack pointer is always on its own stack */
                    int fits = form->fits(sp, limit, size);
                    overruns += fits && size > room;
                    refused += !fits && size <= room;
                    unseen += form->fits(sp, poison, size);
                }
        printf("%s overruns %s, refused %s, unseen %s\n", form->name, overruns ? "yes" : "no", refused ? "yes" : "no",
               unseen ? "yes" : "no");
    }
    return 0;
}
