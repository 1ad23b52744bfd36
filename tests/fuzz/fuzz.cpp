// One libFuzzer program per reader: GEMEL_FUZZ_READER names the function.
#include "readers.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    gemel::fuzz::GEMEL_FUZZ_READER({data, size});
    return 0;
}
