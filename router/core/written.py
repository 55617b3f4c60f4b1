"""Rules and texts that stand in for those of a site's own files: a draft, or what was published."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from router.core.document import Document, Fault, FileErrors, attempt
from router.core.rules import form
from router.core.rules.compile import RuleSet
from router.core.site import Site
from router.core.texts import Texts, texts_file


class Written(Struct, frozen=True):
    """A site's rules and texts as YAML. `texts` "": those that the site has."""

    rules: str
    texts: str = ""


def rewritten(site: Site, written: Written, of: str = "") -> Site:
    """The site with other rules and texts; `of` is added to their names in faults.

    Raises FileErrors with every fault of both.
    """
    faults: list[Fault] = []
    texts = _rewritten_texts(site, written.texts, f"texts.yaml{of}", faults) if written.texts else site.texts
    doc = Document(f"rules.yaml{of}")
    rules = attempt(doc, written.rules, form.rules_file(replace(site, texts=texts).names))
    faults += doc.faults
    if faults or rules is None:
        raise FileErrors(faults)
    return replace(site, texts=texts, rules=RuleSet(rules))


def _rewritten_texts(site: Site, text: str, file: str, faults: list[Fault]) -> Texts:
    """The texts, if they have all that the site's offers and articles show; else its own, and the faults."""
    doc = Document(file)
    texts = attempt(doc, text, texts_file(site.language))
    if texts is not None:
        used: list[tuple[str, str, Mapping[str, object]]] = [
            *(("offers", offer.text, texts.offers) for offer in site.offers.values()),
            *(("articles", article.text, texts.articles) for article in site.articles.values()),
        ]
        for kind, key, known in used:
            if key not in known:
                doc.faults.append(
                    Fault(file, 1, 1, f"expected a text '{key}' below {kind}: the site shows it")
                )
    faults += doc.faults
    return site.texts if texts is None or doc.faults else texts
