# The tower is guarded by the compiler: with the include folders a floor is given, a public header of
# any floor above it cannot be found, and every floor below it can.
set(floors sim io pkpd learners scenarios)
# Eigen is shared by the floors.
get_target_property(eigen Eigen3::Eigen INTERFACE_INCLUDE_DIRECTORIES)
set(seen "-I${eigen}")
foreach(floor IN LISTS floors)
  list(APPEND seen "-I${PROJECT_SOURCE_DIR}/${floor}/include")
  foreach(other IN LISTS floors)
    file(GLOB headers "${PROJECT_SOURCE_DIR}/${other}/include/gemel/${other}/*.hpp")
    list(GET headers 0 header)
    cmake_path(GET header FILENAME header)
    set(source "${CMAKE_CURRENT_BINARY_DIR}/tower/${floor}_includes_${other}.cpp")
    file(CONFIGURE OUTPUT "${source}" CONTENT "#include <gemel/${other}/${header}>\n")
    add_test(NAME tower_${floor}_includes_${other}
             COMMAND ${CMAKE_CXX_COMPILER} -std=c++20 -fsyntax-only ${seen} "${source}")
    list(FIND floors ${floor} here)
    list(FIND floors ${other} there)
    if(there GREATER here)
      set_tests_properties(tower_${floor}_includes_${other} PROPERTIES
                           PASS_REGULAR_EXPRESSION "No such file or directory")
    endif()
    set_tests_properties(tower_${floor}_includes_${other} PROPERTIES LABELS "tower")
  endforeach()
endforeach()
