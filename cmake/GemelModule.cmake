# gemel_module(<name> [USES <floor below>...] [PRIVATE <package target>...])
#
# Declares one floor of the tower as gemel::<name>. Public headers lie under <name>/include; only
# the floors named in USES are on its include path, so an #include that goes up does not compile.
# A .cpp file in the folder is in the build.
#
# The standard headers that nearly every source reads are read once per floor, and every preset but
# dev compiles sources in batches (CMAKE_UNITY_BUILD): a build takes a quarter of the time. So no two
# sources of a floor give one name to two things of their own, and headers still include what they use
# (all_verify_interface_header_sets).
set(GEMEL_READ_ONCE <algorithm> <array> <cmath> <cstdint> <filesystem> <functional> <limits> <map> <memory>
                    <optional> <set> <span> <stdexcept> <string> <string_view> <unordered_map> <vector>)
function(gemel_module name)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "" "USES;PRIVATE")
  set(here "${CMAKE_CURRENT_SOURCE_DIR}")
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${here}/*.cpp")
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS "${here}/include/*.hpp")
  add_library(gemel_${name} STATIC ${sources})
  add_library(gemel::${name} ALIAS gemel_${name})
  target_sources(gemel_${name} PUBLIC FILE_SET HEADERS BASE_DIRS "${here}/include" FILES ${headers})
  target_include_directories(gemel_${name} PRIVATE "${here}")
  target_precompile_headers(gemel_${name} PRIVATE ${GEMEL_READ_ONCE} <fmt/format.h>)
  set_target_properties(gemel_${name} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
  list(TRANSFORM ARG_USES PREPEND "gemel::")
  target_link_libraries(gemel_${name} PUBLIC ${ARG_USES} gemel::flags PRIVATE ${ARG_PRIVATE})
endfunction()
