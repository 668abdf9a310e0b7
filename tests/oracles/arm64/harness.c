/* Runs a kernel's entry in memory that it shares with the process that started it.

   ./kernel FILE ADDRESS BYTES: maps the file at that address, then for each pair of addresses on
   standard input (arguments, launch record) calls the entry and writes its status. */

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

extern int32_t kernel_entry(void *arguments, void *launch);

int main(int count, char **words) {
    if (count != 4) return 2;
    void *wanted = (void *)strtoull(words[2], NULL, 10);
    int file = open(words[1], O_RDWR);
    void *got = mmap(wanted, strtoull(words[3], NULL, 10), PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_FIXED, file, 0);
    if (file < 0 || got != wanted) return 3;
    void *given[2];
    while (read(0, given, sizeof given) == sizeof given) {
        int32_t status = kernel_entry(given[0], given[1]);
        if (write(1, &status, sizeof status) != sizeof status) return 4;
    }
    return 0;
}
