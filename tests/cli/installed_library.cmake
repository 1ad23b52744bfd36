# An installed program finds the library beside it: a model put only there is listed; and the plug-in of
# native code, if there is one.
file(REMOVE_RECURSE "${PREFIX}")
execute_process(COMMAND "${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${PREFIX}"
                OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
set(models "${PREFIX}/share/gemel/models")
file(COPY_FILE "${models}/one_compartment_oral.toml" "${models}/only_here.toml")
execute_process(COMMAND "${PREFIX}/bin/gemel" models OUTPUT_VARIABLE listed
                COMMAND_ERROR_IS_FATAL ANY)
if(NOT listed MATCHES "only_here")
  message(FATAL_ERROR "the installed program does not see ${models}:\n${listed}")
endif()
if(EXISTS "${PREFIX}/lib/gemel/libgemel_llvm.so")
  execute_process(COMMAND "${PREFIX}/bin/gemel" --version OUTPUT_VARIABLE version
                  COMMAND_ERROR_IS_FATAL ANY)
  if(version MATCHES "libgemel_llvm")
    message(FATAL_ERROR "the installed program does not see its plug-in:\n${version}")
  endif()
endif()
