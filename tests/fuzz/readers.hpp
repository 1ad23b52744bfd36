#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

/// Every reader of files that others write, as a function of a file's bytes. Whatever these are, it
/// returns: mistakes are told, nothing is thrown, nothing is broken. libFuzzer calls them with what
/// it makes up (fuzz.cpp), every test run with the files in corpus/ (replay.cpp).
namespace gemel::fuzz {

using Bytes = std::span<const std::uint8_t>;

struct Reader {
    const char* name; ///< its folder in corpus/
    void (*read)(Bytes bytes);
};

void read_variants(Bytes bytes);
void read_pharmcat(Bytes bytes);
void read_genotype_table(Bytes bytes);
void read_toml(Bytes bytes);
void read_data_file(Bytes bytes);

inline constexpr Reader readers[] = {{"variants", read_variants},
                                     {"pharmcat", read_pharmcat},
                                     {"genotype_table", read_genotype_table},
                                     {"toml", read_toml},
                                     {"data_file", read_data_file}};

} // namespace gemel::fuzz
