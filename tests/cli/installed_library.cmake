# An installed program finds the library beside it: a model put only there is listed.
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
