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

# Single libraries of SUNDIALS: its package would pull MPI, PETSc and hypre. CVODES contains CVODE.
find_path(SUNDIALS_INCLUDE cvodes/cvodes.h REQUIRED)
find_path(KLU_INCLUDE klu.h REQUIRED PATH_SUFFIXES suitesparse)
file(STRINGS "${SUNDIALS_INCLUDE}/sundials/sundials_config.h" sundials_version
     REGEX "^#define SUNDIALS_VERSION_MAJOR 6")
file(STRINGS "${SUNDIALS_INCLUDE}/sundials/sundials_config.h" sundials_precision
     REGEX "^#define SUNDIALS_(DOUBLE_PRECISION|INT64_T) 1")
list(LENGTH sundials_precision n_sundials_precision)
if(NOT sundials_version OR NOT n_sundials_precision EQUAL 2)
  message(FATAL_ERROR "SUNDIALS 6 with double precision and 64-bit indices is needed")
endif()
add_library(gemel_sundials INTERFACE)
target_include_directories(gemel_sundials SYSTEM INTERFACE ${SUNDIALS_INCLUDE} ${KLU_INCLUDE})
foreach(part cvodes nvecserial sunmatrixdense sunmatrixsparse sunlinsoldense sunlinsolklu)
  find_library(SUNDIALS_${part} sundials_${part} REQUIRED)
  target_link_libraries(gemel_sundials INTERFACE ${SUNDIALS_${part}})
endforeach()
