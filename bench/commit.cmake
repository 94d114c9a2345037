# Writes SOURCE_FILE with the commit of TREE; leaves it alone when nothing changed.
# cmake -DTREE=… -DSOURCE_FILE=… -P commit.cmake
execute_process(COMMAND git -C ${TREE} describe --always --dirty --abbrev=12 --exclude=*
    OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE failed ERROR_QUIET)
if(failed)
    set(commit unknown)
endif()
file(CONFIGURE OUTPUT ${SOURCE_FILE} CONTENT
    "#include \"bench/harness.h\"\n\nconst char harness_commit[] = \"${commit}\";\n")
