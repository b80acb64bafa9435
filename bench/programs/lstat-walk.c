/* Lists the names of each folder and calls lstat with the path of each of them, as often as the second argument says. */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static long entries;

static void walk(const char *folder) {
  char path[PATH_MAX];
  struct dirent *entry;
  struct stat status;
  DIR *directory = opendir(folder);
  if (directory == NULL) exit(1);
  int length = snprintf(path, sizeof path, "%s/", folder);
  while ((entry = readdir(directory)) != NULL) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    snprintf(path + length, sizeof path - length, "%s", entry->d_name);
    if (lstat(path, &status) != 0) exit(1);
    entries += 1;
    if (S_ISDIR(status.st_mode)) walk(path);
  }
  closedir(directory);
}

int main(int count, char **values) {
  for (int round = count == 3 ? atoi(values[2]) : 0; round > 0; round -= 1) walk(values[1]);
  printf("%ld\n", entries);
  return 0;
}
