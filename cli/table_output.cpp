#include "table_output.hpp"

#include "program.hpp"

#include <gemel/io/output_file.hpp>

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <stdexcept>

namespace gemel::cli {

namespace {

void write_to_file(const std::string& source,
                   const std::string& target,
                   const std::function<void(std::ostream&)>& write) {
    std::error_code error;
    if (std::filesystem::equivalent(source, target, error))
        throw std::runtime_error(
            fmt::format("{} holds what the table is of; choose another -o", target));
    io::OutputFile output(target);
    std::ofstream out(output.part(), std::ios::binary);
    if (!out) throw std::runtime_error(fmt::format("cannot write {}", output.part()));
    write(out);
    out.close();
    if (!out)
        throw std::runtime_error(fmt::format("cannot write {}: is the disk full?", output.part()));
    output.publish();
}

} // namespace

int write_table(const std::string& source,
                const std::string& output,
                const std::function<void(std::ostream&)>& write) {
    if (!output.empty()) {
        write_to_file(source, output, write);
        return exit_ok;
    }
    std::ios::sync_with_stdio(false);
    write(std::cout);
    std::cout.flush();
    return std::cout ? exit_ok : exit_error;
}

} // namespace gemel::cli
