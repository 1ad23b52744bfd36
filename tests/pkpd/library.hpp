#pragma once

#include <gemel/io/resources.hpp>
#include <gemel/pkpd/model.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <string>

/// The library this repository ships.
namespace gemel::pkpd {

inline const io::Library& library() {
    static const io::Library shipped{{std::filesystem::path(GEMEL_SOURCE_DIR) / "library"}};
    return shipped;
}

inline std::shared_ptr<const Model> library_model(const std::string& name) {
    sim::DiagnosticList diagnostics;
    auto model = load_model(library().find("models", name), library(), diagnostics);
    INFO(diagnostics.render());
    REQUIRE(model);
    return model;
}

inline std::shared_ptr<const GeneTable> library_gene(const std::string& name) {
    sim::DiagnosticList diagnostics;
    auto gene = load_gene(library().find("genes", name), diagnostics);
    INFO(diagnostics.render());
    REQUIRE(gene);
    return gene;
}

} // namespace gemel::pkpd
