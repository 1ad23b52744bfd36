#pragma once

#include "drawn.hpp"
#include "loaded.hpp"

#include <gemel/pkpd/uncertainty.hpp>

#include <fmt/format.h>

#include <fstream>

/// `[uncertainty]` read from text.
namespace gemel::pkpd {

struct ReadUncertainty {
    std::shared_ptr<const ParameterUncertainty> read;
    std::string messages;
};

inline ReadUncertainty uncertainty(const Model& model,
                                   const std::string& toml,
                                   std::uint32_t n_replicates,
                                   std::uint64_t seed = 5) {
    auto file = std::make_shared<sim::SourceFile>();
    file->name = "study.toml";
    file->text = toml;
    sim::DiagnosticList diagnostics;
    const io::TomlView document = io::parse_toml(file, diagnostics);
    UncertaintyWords words;
    io::read_fields(
        document, diagnostics, [&](io::Fields& fields) { describe_uncertainty(fields, words); });
    ReadUncertainty result;
    if (diagnostics.empty())
        result.read = read_uncertainty(
            words, model, temporary_path("study.toml"), seed, n_replicates, diagnostics);
    if (!diagnostics.empty()) result.messages = diagnostics.render();
    return result;
}

} // namespace gemel::pkpd
