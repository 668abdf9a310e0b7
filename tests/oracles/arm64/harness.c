/* Runs a kernel's blocks in memory that it shares with the process that started it.

   ./kernel FILE ADDRESS BYTES: maps the file at that address, then for each pair of addresses on
   standard input (arguments, launch record) runs the blocks and writes their status. */

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* The kernel's function of a block, and the runtime's that calls it for all blocks. */
extern int32_t kernel_block(void *, void *, int64_t, int64_t, int64_t);
extern int32_t stepwell_run_blocks(void *arguments, int64_t *launch);
enum { FUNCTION = 12 };

int main(int count, char **words) {
    if (count != 4) return 2;
    void *wanted = (void *)strtoull(words[2], NULL, 10);
    int file = open(words[1], O_RDWR);
    void *got = mmap(wanted, strtoull(words[3], NULL, 10), PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_FIXED, file, 0);
    if (file < 0 || got != wanted) return 3;
    void *given[2];
    while (read(0, given, sizeof given) == sizeof given) {
        int64_t *launch = given[1];
        launch[FUNCTION] = (int64_t)kernel_block;
        int32_t status = stepwell_run_blocks(given[0], launch);
        if (write(1, &status, sizeof status) != sizeof status) return 4;
    }
    return 0;
}
