#include "keys.hpp"
#include "model_words.hpp"

#include <fmt/format.h>

/// The grammar of `[enzymes.X]`, `[[interactions]]` and `[clearances.X]`.
namespace gemel::pkpd {

namespace {

using io::Fields;

/// A number or a text with an expression.
std::optional<sim::SourceText> read_expression(const io::TomlView& view,
                                               sim::DiagnosticList& diagnostics) {
    if (const auto text = view.source_text()) return text;
    if (const auto number = view.number())
        return sim::SourceText{fmt::format("{}", *number), view.span()};
    diagnostics.add(
        view.span(),
        fmt::format("{} stands here; a number, or a text with an expression, is expected",
                    io::name(view.kind())));
    return std::nullopt;
}

void expression(Fields& f,
                const ModelWords& words,
                const io::Field& field,
                std::optional<sim::SourceText>& text) {
    f.any(field, "number or expression", [&](const io::TomlView& view) {
        text = read_expression(view, *words.diagnostics);
    });
}

void scoped_expression(Fields& f,
                       const ModelWords& words,
                       const io::Field& field,
                       std::optional<ScopedText>& scoped) {
    std::optional<sim::SourceText> text;
    expression(f, words, field, text);
    if (text) scoped = ScopedText{*text, 0};
}

void describe_enzyme(Fields& f, const ModelWords& words, EnzymeWords& enzyme) {
    scoped_expression(
        f,
        words,
        optional_key("turnover",
                     "rate at which it is degraded and made anew; needed where its amount changes",
                     "\"k_CYP2D6\""),
        enzyme.turnover);
    scoped_expression(f,
                      words,
                      optional_key("ontogeny",
                                   "its abundance relative to an adult's, of covariates",
                                   "\"PMA^3 / (PMA^3 + (73.6[wk])^3)\""),
                      enzyme.ontogeny);
    f.text(optional_key("about", "one line", "\"hydroxylation\""), enzyme.about);
    std::string text; // for readers only
    f.text(optional_key("source", "where the turnover is from", "\"assumed\""), text);
}

void check_pair(Fields& f, const char* first, const char* second) {
    if (f.has(first) != f.has(second))
        f.mistake(f.has(first) ? first : second,
                  fmt::format("'{}' and '{}' come together", first, second));
}

void describe_interaction(Fields& f, const ModelWords& words, InteractionWords& interaction) {
    interaction.span = f.span();
    f.text(required_key("enzyme", "of [enzymes]", "\"CYP2D6\""), interaction.enzyme);
    interaction.enzyme_span = f.span("enzyme");
    const auto text = [&](const char* key,
                          const char* about,
                          const char* example,
                          std::optional<sim::SourceText>& to) {
        expression(f, words, optional_key(key, about, example), to);
    };
    text("by", "unbound concentration that acts", "\"fu_par * C_par\"", interaction.by);
    text("Ki", "reversible inhibition: its constant, unbound", "\"Ki_par\"", interaction.Ki);
    text("kinact",
         "mechanism-based inhibition: the fastest inactivation",
         "\"kinact_par\"",
         interaction.kinact);
    text("K_I", "…: the concentration of half of kinact", "\"KI_par\"", interaction.KI);
    text("Emax",
         "induction: largest rise of synthesis, in baselines",
         "\"Emax_rif\"",
         interaction.Emax);
    text("EC50", "…: the concentration of half of Emax", "\"EC50_rif\"", interaction.EC50);
    f.text(optional_key("class",
                        "instead of a concentration: a covariate with categories none, weak, "
                        "moderate, strong, which leave 1, 1, 0.5, 0 of the activity",
                        "\"CYP2D6_inhibitor\""),
           interaction.inhibitor_class);
    interaction.class_span = f.span("class");
    std::string about; // for readers only
    f.text(optional_key("about", "one line", "\"paroxetine\""), about);
    f.text(required_key("source", "where the constants are from", "\"assumed\""), about);
    if (f.is_listing()) return;
    check_pair(f, "kinact", "K_I");
    check_pair(f, "Emax", "EC50");
    const bool has_effect = f.has("Ki") || f.has("kinact") || f.has("Emax");
    if (f.has("class") && (has_effect || f.has("by")))
        f.mistake("class", "'class' stands for a concentration that is not known; here is one");
    if (!f.has("class") && !f.has("by"))
        f.mistake("",
                  "what acts is not said",
                  "write by = …, an unbound concentration, or class = …, a covariate");
    if (f.has("by") && !has_effect)
        f.mistake("by",
                  "what this concentration does is not said",
                  "write Ki = … (reversible), kinact and K_I (mechanism-based), or Emax and EC50 "
                  "(induction)");
}

/// "fm", 0.8, or { share = …, activity = … }
void read_pathway(const io::TomlView& view,
                  sim::DiagnosticList& diagnostics,
                  ClearanceWords::Pathway& pathway) {
    if (view.kind() != io::TomlKind::table) {
        pathway.share = read_expression(view, diagnostics);
        return;
    }
    io::read_fields(view, diagnostics, [&](Fields& f) {
        const auto read = [&](std::optional<sim::SourceText>& text) {
            return [&](const io::TomlView& given) { text = read_expression(given, diagnostics); };
        };
        f.any(required_key("share", "", "0.8"), "", read(pathway.share));
        f.any(optional_key("activity", "", "\"CYP2D6_activity\""), "", read(pathway.activity));
    });
}

void describe_pathways(Fields& f, const ModelWords& words, ClearanceWords& clearance) {
    const auto key = required_key("enzymes",
                                  "share of each enzyme in the reference patient, with the map of "
                                  "its activity; a bare value is the share",
                                  "{ CYP2D6 = { share = 0.8, activity = \"CYP2D6_activity\" } }");
    f.any(key, "shares by enzyme", [&](const io::TomlView& view) {
        if (view.kind() != io::TomlKind::table)
            words.diagnostics->add(view.span(), "a table is expected, one entry per enzyme");
        for (const auto& [name, value] : view.members()) {
            ClearanceWords::Pathway& pathway = clearance.pathways.emplace_back();
            pathway.enzyme = name;
            pathway.span = value.key_span();
            read_pathway(value, *words.diagnostics, pathway);
        }
    });
}

void check_clearance(Fields& f, const ClearanceWords& clearance) {
    const bool is_intrinsic = clearance.declared == ClearanceWords::Declared::intrinsic;
    const bool is_apparent = clearance.declared == ClearanceWords::Declared::apparent;
    if (is_intrinsic && !f.has("flow"))
        f.mistake("declared",
                  "an intrinsic clearance needs the flow of the liver",
                  "write flow = …, in blood or plasma as the concentration is");
    if (is_intrinsic && f.has("renal"))
        f.mistake("renal", "an intrinsic clearance is the liver's alone; add the kidney's to it");
    if (f.has("kidney") && !f.has("renal"))
        f.mistake("kidney", "the share that the kidney clears is not said", "write renal = …");
    if (f.has("first_pass") && !f.has("flow"))
        f.mistake("first_pass", "a first pass needs the flow of the liver", "write flow = …");
    if (f.has("absorbed") && !(is_apparent && f.has("flow")))
        f.mistake("absorbed", "'absorbed' belongs to declared = \"CL/F\" with a flow");
}

void describe_clearance(Fields& f, const ModelWords& words, ClearanceWords& clearance) {
    const auto text = [&](io::Field field, std::optional<sim::SourceText>& to) {
        expression(f, words, field, to);
    };
    text(required_key(
             "of", "the clearance of a reference patient, with its variability", "\"CL_NM\""),
         clearance.of);
    int declared = 0;
    f.choice(required_key("declared", "what that is", "\"CL\""), {"CL", "CL/F", "CLint"}, declared);
    clearance.declared = static_cast<ClearanceWords::Declared>(declared);
    describe_pathways(f, words, clearance);
    text(optional_key("renal", "share of it that the kidney clears", "0.1"), clearance.renal);
    text(optional_key("kidney",
                      "function of the kidney relative to the reference",
                      "\"CRCL / 100[mL/min]\""),
         clearance.kidney);
    text(optional_key("liver",
                      "function of the liver relative to the reference: of all intrinsic clearance",
                      "\"CHILD_B ? 0.5 : 1\""),
         clearance.liver);
    text(optional_key(
             "flow",
             "blood flow of the liver, for a well-stirred one; without it extraction is low",
             "\"Q_liver\""),
         clearance.flow);
    clearance.flow_span = f.span("flow");
    text(optional_key("absorbed", "share of a dose that reaches the liver, for CL/F", "0.9"),
         clearance.absorbed);
    f.text(optional_key(
               "first_pass",
               "a name for the share that the liver lets pass; of CL/F relative to the reference",
               "\"F_liver\""),
           clearance.first_pass);
    clearance.first_pass_span = f.span("first_pass");
    f.text(optional_key("about", "one line", "\"clearance\""), clearance.about);
    std::string source; // for readers only
    f.text(optional_key("source", "where the shares are from", "\"assumed\""), source);
    if (!f.is_listing()) check_clearance(f, clearance);
}

} // namespace

void describe_enzymes(Fields& f, ModelWords& words) {
    describe_keyed(f,
                   words,
                   optional_key("enzymes", "enzymes and transporters of the patient", ""),
                   words.enzymes,
                   [&](Fields& row, EnzymeWords& entry) { describe_enzyme(row, words, entry); });
    f.list(optional_key("interactions", "what acts on an enzyme", ""), [&](Fields& row) {
        describe_interaction(row, words, words.interactions.emplace_back());
    });
    describe_keyed(
        f,
        words,
        optional_key("clearances", "clearances made of pathways", ""),
        words.clearances,
        [&](Fields& row, ClearanceWords& entry) { describe_clearance(row, words, entry); });
}

} // namespace gemel::pkpd
