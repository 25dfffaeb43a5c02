# The SDK's OpenSSL shim is C; this has cmake compile it for the architecture and against the C libraries of a release, not the machine's.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR $ENV{RELEASE_MACHINE})
set(CMAKE_SYSROOT $ENV{RELEASE_SYSROOT})
set(CMAKE_C_COMPILER clang)
set(CMAKE_C_COMPILER_TARGET $ENV{RELEASE_MACHINE}-linux-gnu)
set(CMAKE_LIBRARY_ARCHITECTURE $ENV{RELEASE_MACHINE}-linux-gnu)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
# What the shim asks of a library is answered by linking a program with it, as the release is linked.
set(CMAKE_EXE_LINKER_FLAGS_INIT "-static -fuse-ld=lld")
