# gemel::flags: what every target is compiled with. Contraction is off everywhere: one operation in
# the source is one rounding in the result, on every machine (docs/decisions/determinism.md).
add_library(gemel_flags INTERFACE)
add_library(gemel::flags ALIAS gemel_flags)
target_compile_features(gemel_flags INTERFACE cxx_std_20)
target_compile_options(gemel_flags INTERFACE -ffp-contract=off -Wall -Wextra -Wpedantic -Wshadow)
# False alarms of g++ 12 on std::optional (GCC bug 80635), and on std::string once it inlines (GCC bug 105651);
# dev keeps the latter on.
target_compile_options(gemel_flags INTERFACE
  -Wno-maybe-uninitialized
  $<$<CONFIG:Release>:-Wno-restrict -Wno-stringop-overflow -Wno-array-bounds>)
if(GEMEL_WARNINGS_AS_ERRORS)
  target_compile_options(gemel_flags INTERFACE -Werror)
endif()
if(GEMEL_STD_THREADS)
  target_compile_definitions(gemel_flags INTERFACE GEMEL_STD_THREADS)
endif()
if(GEMEL_SANITIZE)
  # What comes through null pointers and beyond objects the address sanitizer finds as well, and packs that
  # are not aligned the processor: with these checks too, a build takes a third longer.
  target_compile_options(gemel_flags INTERFACE -fsanitize=${GEMEL_SANITIZE} -fno-omit-frame-pointer
                                               -fno-sanitize-recover=all
                                               -fno-sanitize=null,object-size,alignment,vptr)
  target_link_options(gemel_flags INTERFACE -fsanitize=${GEMEL_SANITIZE})
endif()
