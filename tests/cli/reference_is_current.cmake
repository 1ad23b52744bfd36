# Fails when docs/reference/GRAMMAR.md is not what the program prints; write it anew with
#   gemel reference GRAMMAR > docs/reference/GRAMMAR.md
execute_process(COMMAND "${PROGRAM}" reference ${GRAMMAR} OUTPUT_VARIABLE printed
                COMMAND_ERROR_IS_FATAL ANY)
file(READ "${PAGE}" page)
if(NOT page STREQUAL printed)
  message(FATAL_ERROR "${PAGE} is not current: gemel reference ${GRAMMAR} > docs/reference/${GRAMMAR}.md")
endif()
