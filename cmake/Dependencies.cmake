# The packages of tools/packages.txt as CMake targets. Why each, and its one door in the code:
# docs/dependencies.md.
find_package(Eigen3 3.4 REQUIRED NO_MODULE)
find_package(Boost 1.74 REQUIRED)
find_package(fmt 9 REQUIRED)
find_package(CLI11 2.1 REQUIRED)
find_package(HDF5 1.10 REQUIRED COMPONENTS C HL)
find_package(OpenSSL 3 REQUIRED COMPONENTS Crypto)
find_package(Threads REQUIRED)
if(NOT GEMEL_STD_THREADS)
  find_package(TBB 2021.8 REQUIRED)
endif()

add_library(gemel_hdf5 INTERFACE)
target_include_directories(gemel_hdf5 SYSTEM INTERFACE ${HDF5_INCLUDE_DIRS})
target_link_libraries(gemel_hdf5 INTERFACE ${HDF5_C_LIBRARIES} ${HDF5_C_HL_LIBRARIES})

find_path(TOMLPLUSPLUS_INCLUDE toml++/toml.h REQUIRED)
if(BUILD_TESTING)
  find_path(DOCTEST_INCLUDE doctest/doctest.h REQUIRED)
endif()
find_path(XXHASH_INCLUDE xxhash.h REQUIRED)
