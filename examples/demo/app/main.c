#include <stdio.h>

#include "greeting.h"

int main(int argc, char **argv) {
  printf("%s from %s\n", greeting(), argc > 1 ? argv[1] : "a container");
  return 0;
}
